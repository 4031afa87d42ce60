"""When a run cleans up between its lines."""

from __future__ import annotations

import pytest

from glmtts_core.batch.policy import DEFAULT_THRESHOLD_BYTES, CleanupPolicy


def wants(policy, *, lines_since=1, failed=False, reclaimable_bytes=0):
    return policy.wants_cleanup(
        lines_since=lines_since, failed=failed, reclaimable_bytes=reclaimable_bytes
    )


def test_by_default_at_the_threshold_and_after_a_failure_only():
    policy = CleanupPolicy()
    assert not wants(policy, lines_since=1_000)
    assert wants(policy, failed=True)
    assert wants(policy, reclaimable_bytes=DEFAULT_THRESHOLD_BYTES)
    assert not wants(policy, reclaimable_bytes=DEFAULT_THRESHOLD_BYTES - 1)


def test_every_k_lines():
    policy = CleanupPolicy(every_lines=3)
    assert [wants(policy, lines_since=n) for n in (1, 2, 3, 4)] == [False, False, True, True]


def test_never_is_never():
    assert not wants(CleanupPolicy.never(), lines_since=99, failed=True, reclaimable_bytes=2**40)


@pytest.mark.parametrize("values", [{"every_lines": 0}, {"threshold_bytes": 0}])
def test_a_policy_that_would_clean_without_end_is_refused(values):
    with pytest.raises(ValueError, match="at least 1"):
        CleanupPolicy(**values)
