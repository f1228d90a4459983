"""The apply lock: who has it, for how long, and who may say so."""

import http.client
import json
import threading

import pytest

from cloudsync.agent.lock import ApplyLock, Gone, Taken
from cloudsync.hosts.unix_http import UnixConnection
from cloudsync.model.problem import LockedError
from tests.agent.lab import Lab
from tests.effort import PATIENCE
from tests.lab.eventually import eventually


def test_a_lease_lasts_as_long_as_it_is_renewed() -> None:
    now = [100.0]
    lock = ApplyLock(lambda: now[0])
    mine = lock.take("alice@laptop", 20)
    with pytest.raises(Taken):
        lock.take("bob@desk")
    now[0] += 15
    assert lock.left(mine) == 5
    assert lock.renew(mine.key) == lock.held
    assert lock.left(mine) == 20
    with pytest.raises(Gone):
        lock.renew("0" * 32)
    now[0] += 21
    assert lock.left(mine) == 0
    lock.release(mine)
    assert lock.take("bob@desk").held.holder == "bob@desk"
    with pytest.raises(Gone):
        lock.renew(mine.key)
    assert lock.left(mine) == 0


def test_without_a_lease_only_its_end_ends_it() -> None:
    lock = ApplyLock(lambda: 0.0)
    assert lock.left(lock.take("alice@laptop")) is None


def held(agent: Lab, target: str) -> tuple[UnixConnection, http.client.HTTPResponse, str]:
    """The lock on a connection that says nothing more."""
    connection = UnixConnection(agent.socket, PATIENCE)
    connection.request("POST", target, json.dumps({"who": "alice@laptop"}), {"content-type": "application/json"})
    response = connection.getresponse()
    return connection, response, json.loads(response.readline())["key"]


def test_an_owner_who_is_cut_off_loses_it_and_another_takes_it(agent: Lab) -> None:
    connection, _, _ = held(agent, f"/v1/lock?lease={PATIENCE:g}")
    with pytest.raises(LockedError, match="alice@laptop"):
        agent.client.lock("bob@desk").__enter__()
    connection.close()
    eventually(agent.client.holder, None)
    connection, response, key = held(agent, "/v1/lock?lease=0.5")
    while response.readline():
        continue
    with agent.client.lock("bob@desk"):
        late = UnixConnection(agent.socket, PATIENCE)
        late.request("PUT", f"/v1/lock/{key}")
        assert late.getresponse().status == 404
        late.close()
    connection.close()


def test_it_is_renewed_while_the_work_lasts_and_its_key_is_nobodys_business(agent: Lab) -> None:
    lost, passed = threading.Event(), threading.Event()
    with agent.client.lock("alice@laptop", lost.set, lease=2):
        passed.wait(3)
        holder = agent.client.holder()
        assert holder is not None
        assert holder.holder == "alice@laptop"
        assert "key" not in str(holder)
    assert not lost.is_set()
