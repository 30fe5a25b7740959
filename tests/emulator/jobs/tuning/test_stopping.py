from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.tuning.stopping import Place, out_of_hyperband, rungs, worse_than_median

GOOD, FAIR, BAD = [1.0, 2.0, 3.0], [1.0, 1.5, 2.0], [0.0, 0.1, 0.2]


def test_the_value_is_compared_with_the_median_of_the_running_averages():
    previous = [GOOD, FAIR, BAD]  # averages after two epochs: 1.5, 1.25, 0.05
    assert worse_than_median([9.0, 1.2], previous, maximize=True)
    assert not worse_than_median([0.0, 1.3], previous, maximize=True)
    assert worse_than_median([0.0, 1.3], previous, maximize=False)


def test_jobs_that_did_not_come_so_far_do_not_count():
    assert not worse_than_median([0.0, 0.0, 0.0, 0.0], [GOOD, FAIR, BAD], maximize=True)
    assert not worse_than_median([0.0], [GOOD, FAIR], maximize=True)
    assert not worse_than_median([], [GOOD, FAIR, BAD], maximize=True)


def test_the_rungs_of_the_brackets():
    assert [rungs(number, 1, 27) for number in range(4)] == [[1, 3, 9], [3, 9], [9], [1, 3, 9]]
    assert rungs(0, 5, 5) == []


def test_the_best_third_of_a_rung_goes_on():
    others = [[3.0], [2.0], [1.0]]
    place = Place(0, 0, 1, 27)
    assert not out_of_hyperband([4.0], others, place, maximize=True)
    assert out_of_hyperband([2.5], others, place, maximize=True)
    assert not out_of_hyperband([0.5], others, place, maximize=False)
    assert not out_of_hyperband([0.0], others[:1], place, maximize=True)


def test_a_rung_judges_once_and_the_last_one_always():
    others = [[3.0] * 9] * 3
    assert not out_of_hyperband([0.0, 0.0], others, Place(0, 1, 1, 27), maximize=True)
    assert out_of_hyperband([0.0, 0.0, 0.0], others, Place(0, 2, 1, 27), maximize=True)
    assert out_of_hyperband([9.0] * 27, others, Place(0, 26, 1, 27), maximize=True)


series = st.lists(st.floats(-100, 100), min_size=1, max_size=9)


@given(series, st.lists(series, max_size=6), st.integers(0, 5))
def test_minimising_is_maximising_upside_down(current, others, number):
    turned = [-value for value in current], [[-value for value in other] for other in others]
    assert worse_than_median(current, others, maximize=True) == worse_than_median(*turned, maximize=False)
    place = Place(number, 0, 1, 20)
    one = out_of_hyperband(current, others, place, maximize=True)
    assert one == out_of_hyperband(*turned, place, maximize=False)
