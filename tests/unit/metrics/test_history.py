from latentlab.metrics.history import convergence
from latentlab.records.metrics import Convergence


def test_convergence_is_where_the_validation_loss_was_lowest_and_where_it_had_almost_fallen():
    history = {"epoch": [1.0, 2, 3, 4, 5], "validation_loss": [200, 100.9, 101.2, 100, 103]}
    assert convergence(history) == Convergence(best_epoch=4, converged_epoch=2)


def test_a_single_epoch_has_converged():
    history = {"epoch": [1.0], "validation_loss": [7]}
    assert convergence(history) == Convergence(best_epoch=1, converged_epoch=1)
