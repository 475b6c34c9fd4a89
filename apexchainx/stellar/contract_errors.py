"""The SLA contract's own errors. Its view of them traps on the network, so that the table stands here."""

from enum import IntEnum


class SLAError(IntEnum):
    """With the numbers that stand in `Error(Contract, #N)`."""

    AlreadyInitialized = 1
    NotInitialized = 2
    Unauthorized = 3
    ConfigNotFound = 4
    VersionMismatch = 5
    ContractPaused = 6
    NoPendingTransfer = 7
    InvalidThreshold = 8
    InvalidPenalty = 9
    InvalidReward = 10
    InvalidSeverity = 11
    RetentionLimitOutOfRange = 12
    DuplicateOutageInput = 13
    InvalidPenaltyAmount = 14
    InvalidRewardAmount = 15
    ConfigFrozen = 16
    InvalidInput = 17
    SeverityNotInSet = 18
    OutageRecalcLimit = 19

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed after the admin has migrated, unpaused, unfrozen or pruned."""
        return self in {
            SLAError.VersionMismatch,
            SLAError.ContractPaused,
            SLAError.ConfigFrozen,
            SLAError.OutageRecalcLimit,
        }
