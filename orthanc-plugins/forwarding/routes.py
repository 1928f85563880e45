"""``/api/destinations`` and ``/api/deliveries``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from forwarding.models import (
    Changed,
    Chosen,
    DeliveryModel,
    DeliveryPage,
    DestinationList,
    DestinationModel,
    NewDelivery,
    Summary,
    SummaryItem,
)
from forwarding.service import Forwarding, Line, UnknownDestination, UnknownStudy
from host.problems import Problem
from host.spreadsheets import Cell, Separator, csv_of
from store.deliveries import State, UnderWay
from store.delivery_lists import DeliverySearch, Held

DeliveryId = Annotated[int, Path(ge=1, le=2**31 - 1)]
#: As many rows as a spreadsheet opens without trouble.
_CSV_ROWS = 100_000


def _search(
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    destination: Annotated[str | None, Query(max_length=32)] = None,
    study: Annotated[str | None, Query(max_length=64, description="Orthanc identifier or Study Instance UID.")] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Words that must each stand in name, ID or description.")
    ] = None,
    since: Annotated[datetime | None, Query(description="Made at or after this moment, ISO 8601.")] = None,
) -> DeliverySearch:
    # A moment without a zone is UTC, like those in the answers.
    moment = since if since is None or since.tzinfo else since.replace(tzinfo=UTC)
    return DeliverySearch(state, destination, study, q, moment)


Search = Annotated[DeliverySearch, Depends(_search)]


def create_router(forwarding: Forwarding) -> APIRouter:
    """The routes on top of ``forwarding``."""
    router = APIRouter(tags=["forwarding"])
    _add_destinations(router, forwarding)
    _add_lists(router, forwarding)
    _add_orders(router, forwarding)
    return router


def _add_destinations(router: APIRouter, forwarding: Forwarding) -> None:
    @router.get("/destinations")
    def destinations() -> DestinationList:
        """Where studies go; what is known of each is from its last probe or delivery."""
        totals = forwarding.totals()
        return DestinationList(items=[_destination(line, totals[name]) for name, line in forwarding.lines.items()])

    @router.post("/destinations/{name}/probe", responses={404: {"description": "No such destination."}})
    def probe(name: Annotated[str, Path(max_length=32)]) -> DestinationModel:
        """Ask a destination now whether it answers."""
        line = forwarding.lines.get(name)
        if line is None:
            raise _no_destination(forwarding, name)
        line.delivering.watch.probe()
        return _destination(line, forwarding.totals()[name])


def _add_lists(router: APIRouter, forwarding: Forwarding) -> None:
    @router.get("/deliveries")
    def deliveries(
        search: Search,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> DeliveryPage:
        """The outbox and its history, newest first."""
        rows, total = forwarding.page(search, limit, offset)
        items = [_delivery(row) for row in rows]
        return DeliveryPage(items=items, total=total, limit=limit, offset=offset)

    @router.get(
        "/deliveries.csv",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}}, "description": "At most 100,000 rows, newest first."}},
    )
    def deliveries_csv(search: Search, separator: Separator = "comma") -> Response:
        """The same as a table for spreadsheets."""
        rows, _total = forwarding.page(search, _CSV_ROWS, 0)
        header = list(DeliveryModel.model_fields)
        table = csv_of(header, (_cells(_delivery(row), header) for row in rows), separator)
        attachment = {"Content-Disposition": 'attachment; filename="deliveries.csv"'}
        return Response(table, media_type="text/csv; charset=utf-8", headers=attachment)

    @router.get("/deliveries/summary")
    def summary() -> Summary:
        """How the deliveries stand, by destination."""
        return Summary(items=[_summary(name, held) for name, held in forwarding.totals().items()])

    @router.get("/deliveries/{delivery_id}", responses={404: {"description": "No such delivery."}})
    def delivery(delivery_id: DeliveryId) -> DeliveryModel:
        """One delivery: how far it is, and why it is not delivered yet."""
        row = forwarding.get(delivery_id)
        if row is None:
            raise _no_delivery(delivery_id)
        return _delivery(row)


def _add_orders(router: APIRouter, forwarding: Forwarding) -> None:
    @router.post(
        "/deliveries",
        status_code=202,
        responses={404: {"description": "No such study or destination."}, 409: {"description": "Under way already."}},
    )
    def send(order: NewDelivery) -> DeliveryModel:
        """Send a whole study now, whatever was delivered before; it goes before what waits."""
        try:
            return _delivery(forwarding.send(order.study, order.destination))
        except UnknownDestination:
            raise _no_destination(forwarding, order.destination) from None
        except UnknownStudy:
            raise Problem(404, f"There is no study {order.study}.", "GET /api/studies lists those there are.") from None
        except UnderWay as under_way:
            number = under_way.args[0]
            detail = f"Study {order.study} is on its way to {order.destination} already: delivery {number}."
            remedy = f"Wait for it; POST /api/deliveries/{number}/retry tries it at once, …/cancel ends it."
            raise Problem(409, detail, remedy, delivery=number) from None

    @router.post("/deliveries/retry")
    def retry_many(chosen: Chosen) -> Changed:
        """Begin again those of them that failed, were cancelled or wait."""
        return Changed(changed=forwarding.retry(chosen.ids))

    @router.post("/deliveries/cancel")
    def cancel_many(chosen: Chosen) -> Changed:
        """Cancel those of them that are not delivered."""
        return Changed(changed=forwarding.cancel(chosen.ids))

    responses: dict[int | str, dict[str, Any]] = {
        404: {"description": "No such delivery."},
        409: {"description": "Its state does not allow it."},
    }

    def change(delivery_id: int, order: Callable[[Sequence[int]], int], remedy: str) -> DeliveryModel:
        changed = order([delivery_id])
        row = forwarding.get(delivery_id)
        if row is None:
            raise _no_delivery(delivery_id)
        if not changed:
            raise Problem(409, f"Delivery {delivery_id} is {row.state}.", remedy)
        return _delivery(row)

    @router.post("/deliveries/{delivery_id}/retry", status_code=202, responses=responses)
    def retry(delivery_id: DeliveryId) -> DeliveryModel:
        """Begin again at once, with all attempts: what failed, was cancelled or waits."""
        remedy = "What is being sent needs no retry; POST /api/deliveries sends a delivered study anew."
        return change(delivery_id, forwarding.retry, remedy)

    @router.post("/deliveries/{delivery_id}/cancel", responses=responses)
    def cancel(delivery_id: DeliveryId) -> DeliveryModel:
        """Do not deliver it. What the other end has received stays there."""
        return change(delivery_id, forwarding.cancel, "There is nothing left to cancel.")


def _destination(line: Line, held: Held) -> DestinationModel:
    destination, known = line.destination, line.delivering.watch.known
    paused = known.state != "down" and not line.delivering.in_window
    return DestinationModel(
        name=destination.name,
        kind=destination.kind,
        address=destination.address,
        deidentified=destination.profile is not None,
        profile=destination.profile.name if destination.profile else None,
        state="paused" if paused else known.state,
        reason="outside its time window; what is sent by hand goes" if paused else known.reason,
        since=known.since,
        last_success_at=held.last_success,
        waiting=held.by_state["waiting"],
        failed=held.by_state["failed"],
    )


def _delivery(row: Any) -> DeliveryModel:
    model = DeliveryModel.model_validate(row)
    # Of others it is only when they were due.
    return model if model.state == "waiting" else model.model_copy(update={"next_try_at": None})


def _summary(name: str, held: Held) -> SummaryItem:
    waited = (datetime.now(UTC) - held.oldest_waiting).total_seconds() if held.oldest_waiting else None
    return SummaryItem(destination=name, **held.by_state, oldest_waiting_s=waited, last_success_at=held.last_success)


def _cells(model: DeliveryModel, header: Sequence[str]) -> list[Cell]:
    values = (getattr(model, name) for name in header)
    return [value.isoformat() if isinstance(value, datetime) else value for value in values]


def _no_destination(forwarding: Forwarding, name: str) -> Problem:
    known = ", ".join(forwarding.lines) or "none"
    remedy = f"Configured and on: {known}. Others go into config/orthanc/forwarding.json."
    return Problem(404, f"There is no destination {name}.", remedy)


def _no_delivery(number: int) -> Problem:
    return Problem(404, f"There is no delivery {number}.", "GET /api/deliveries lists those there are.")
