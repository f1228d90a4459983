"""How much one source may ask for: tokens that come back with time. Pure; the time is given."""


class Bucket:
    """`rate` tokens a second, `burst` at most. Taking may go below zero: the debt is waited for."""

    __slots__ = ("_burst", "_rate", "_stamp", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._stamp = burst, now

    def wait(self, now: float) -> float:
        """Seconds until there is a token; 0 when there is one."""
        if now > self._stamp:
            self._tokens = min(self._burst, self._tokens + (now - self._stamp) * self._rate)
            self._stamp = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate

    def take(self) -> None:
        self._tokens -= 1

    def full(self, now: float) -> bool:
        self.wait(now)
        return self._tokens >= self._burst
