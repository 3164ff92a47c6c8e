from latentlab.metrics.history import convergence
from latentlab.records.metrics import Convergence


def test_convergence_is_where_the_validation_loss_was_lowest_and_where_it_had_almost_fallen():
    history = {"epoch": [1.0, 2, 3, 4, 5], "validation_loss": [200, 100.9, 101.2, 100, 103]}
    assert convergence(history) == Convergence(best_epoch=4, converged_epoch=2)


def test_a_single_epoch_has_converged():
    history = {"epoch": [1.0], "validation_loss": [7]}
    assert convergence(history) == Convergence(best_epoch=1, converged_epoch=1)


def test_the_terms_of_a_vae_are_those_after_the_first_and_the_last_epoch():
    history = {"epoch": [1.0, 2, 3], "validation_loss": [9, 8, 7]}
    terms = {"validation_kl": [1.0, 2.0, 3.0], "validation_reconstruction": [8.0, 6.0, 4.0]}
    measured = convergence(history | terms)
    assert measured.kl == (1.0, 3.0) and measured.reconstruction == (8.0, 4.0)
    assert convergence(history | {"validation_reconstruction": [9.0, 8.0, 7.0]}).reconstruction is None
