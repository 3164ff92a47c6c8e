"""latentlab: from a coursework assignment on latent spaces to the page a student hands in."""
