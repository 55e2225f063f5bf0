"""A body's failure, and its nursery's."""

import pytest
import trio

from trio_argoagent.net.apart import kept_apart


async def fail() -> None:
    """A child's failure."""
    raise ValueError("child")


async def test_the_bodys_failure_leaves_as_it_is() -> None:
    """The very exception, and the nursery's children are over."""
    failure = KeyError("body")
    with pytest.raises(KeyError) as caught, kept_apart() as kept:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            with kept.body():
                raise failure
            nursery.cancel_scope.cancel()
    assert caught.value is failure


async def test_the_nurserys_failure_leaves_as_it_is() -> None:
    """In its group, as always."""
    with pytest.raises(ExceptionGroup) as caught, kept_apart() as kept:
        async with trio.open_nursery() as nursery:
            with kept.body():
                nursery.start_soon(fail)
    assert [str(each) for each in caught.value.exceptions] == ["child"]


async def test_neither_is_lost() -> None:
    """Both failures are in one group."""
    with pytest.raises(ExceptionGroup) as caught, kept_apart() as kept:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
            with kept.body():
                raise KeyError("body")
    body, child = caught.value.exceptions
    assert isinstance(body, KeyError) and isinstance(child, ExceptionGroup)


async def test_a_cancellation_beside_it() -> None:
    """The failure comes out, and whoever is cancelled notices at his next checkpoint."""
    with trio.CancelScope() as scope:
        with pytest.raises(KeyError), kept_apart() as kept:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                with kept.body():
                    scope.cancel()
                    raise KeyError("body")
        await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught


async def test_all_is_well() -> None:
    """Nothing is raised, and a cancellation of the body passes."""
    with kept_apart() as kept:
        async with trio.open_nursery() as nursery:
            with kept.body():
                nursery.cancel_scope.cancel()
                await trio.sleep_forever()
    assert kept.failure is None
