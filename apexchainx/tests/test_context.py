import pytest

from apexchainx import context


def test_outside_of_everything_the_system_acts() -> None:
    assert context.current() == context.Context("system", "command", "")


def test_inside_it_is_who_was_named_and_afterwards_who_was_before() -> None:
    with context.acting_as("7", source="api", correlation_id="abc"):
        with context.acting_as("system", source="task", correlation_id="def") as inner:
            assert context.current() is inner
        assert context.current() == context.Context("7", "api", "abc")
    assert context.current() == context.Context()


def test_a_missing_correlation_id_is_made_up_once() -> None:
    with context.acting_as() as first, context.acting_as() as second:
        assert context.CORRELATION_ID.fullmatch(first.correlation_id)
        assert first.correlation_id != second.correlation_id


def test_whoever_is_recognised_later_acts_until_the_end_of_the_request() -> None:
    with context.acting_as("anonymous", source="api", correlation_id="abc"):
        context.act_as("7")
        assert context.current() == context.Context("7", "api", "abc")
    assert context.current().actor == "system"


def test_who_acts_in_anothers_name_is_known_until_the_end_of_the_request() -> None:
    with context.acting_as("anonymous", source="api", correlation_id="abc"):
        context.act_as("7", impersonator="1")
        assert context.current() == context.Context("7", "api", "abc", "1")
        context.act_as("8")
        assert context.current().impersonator == ""
    assert context.current().impersonator == ""


def test_a_failure_ends_the_context_too() -> None:
    with pytest.raises(LookupError), context.acting_as("7"):
        raise LookupError
    assert context.current().actor == "system"
