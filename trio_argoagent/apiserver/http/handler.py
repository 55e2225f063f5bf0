"""One request of a Kubernetes client, from its path to its answer.

Everything is decided by the pure core; here its pieces are put in order: who asks, what the path names,
which verb that makes, and whether that is allowed. A refusal, wherever it comes from, is a Status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core import (
    access,
    discovery,
    failures,
    forms,
    metrics,
    openapi,
    reviews,
    routing,
)
from trio_argoagent.apiserver.core.access import AlwaysAllow, Attributes, Authorizer
from trio_argoagent.apiserver.core.requests import LEFT, WATCH, Asked
from trio_argoagent.apiserver.core.routing import Action, Route
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.apiserver.core.values import encode
from trio_argoagent.apiserver.http.access import Access, acting
from trio_argoagent.apiserver.http.faults import Faults
from trio_argoagent.apiserver.http.misfortune import CutExchange, answer_orders, befall
from trio_argoagent.apiserver.http.replies import Reply, read_value
from trio_argoagent.apiserver.http.verbs import Call, Verbs
from trio_argoagent.errors import ApiError
from trio_argoagent.model.resources import Resource
from trio_argoagent.net.http import Exchange, Request
from trio_argoagent.ports.env import Env

_HEALTH: Final = ("healthz", "livez", "readyz")


@attrs.frozen
class Audited:
    """A request that has been answered, or a watch that begins.

    Attributes:
        user: whose; who acts as somebody else is that one.
        wanted: what it was to do.
        code: the HTTP status; ``LEFT`` if the client did not wait for it.
        begins: is it a watch that has been let in, and that will be told of again at its end?
    """

    user: User
    wanted: Attributes
    code: int
    begins: bool = False


class ApiHandler:
    """A ``net.http.Handler`` in front of an ``ApiServer``.

    Args:
        server: what answers.
        env: its wall clock, and the spread of watches' lifetimes.
        authenticate: says who a request is from; the user becomes the actor of the server's log.
        faults: what befalls requests, and may be ordered at ``/faults``. None: nothing.
        authorizer: says who may do what; None: whoever is known may do everything.
        audit: told of every request of somebody who is known, when it has been answered.
    """

    def __init__(
        self,
        server: ApiServer,
        *,
        env: Env,
        authenticate: Access,
        faults: Faults | None = None,
        authorizer: Authorizer | None = None,
        audit: Callable[[Audited], None] | None = None,
    ) -> None:
        self._server = server
        self._authenticate = authenticate
        self._faults = faults
        self._authorizer = authorizer or AlwaysAllow()
        self._audit = audit
        self._verbs = Verbs(server, env, self._authorizer).table

    def is_prompt(self, request: Request) -> bool:
        """See ``net.http.Prompt``: watches wait, and whom a fault may befall."""
        return "watch" not in request.query and not (self._faults and self._faults.waiting)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            reply = await self._answer(exchange)
        except ApiError as exc:
            reply = Reply.refusal(exc)
        if reply is not None:
            reply = reply.packed_for(exchange.request)
            await exchange.respond(reply.status, reply.headers, reply.body)

    async def _answer(self, exchange: Exchange) -> Reply | None:
        request = exchange.request
        segments = routing.split(request.path)
        public = self._public(segments)
        if public is not None:
            return public
        user = acting(request, self._authenticate(request), self._authorizer)
        route = routing.parse(segments)
        wanted = access.of_request(request.method, request.path, route, request.query)
        code: int = LEFT
        try:
            access.check(self._authorizer, user, wanted)
            if self._audit is not None and wanted.verb == WATCH:
                self._audit(Audited(user, wanted, HTTPStatus.OK, begins=True))
            reply = await self._carry_out(exchange, segments, route, user)
            code = reply.status if reply is not None else HTTPStatus.OK
            return reply
        except ApiError as exc:
            code = exc.status_code
            raise
        finally:
            if self._audit is not None:
                self._audit(Audited(user, wanted, code))

    async def _carry_out(
        self, exchange: Exchange, segments: Sequence[str], route: Route | None, user: User
    ) -> Reply | None:
        request = exchange.request
        if route is None:
            if self._faults is not None and segments == ["faults"]:
                return await answer_orders(exchange, self._faults, self._server)
            return self._document(request, segments)
        review = reviews.find(route.group, route.version, route.plural)
        if review is not None:
            return await self._review(exchange, route, review, user)
        kind = self._server.resource(route.group, route.version, route.plural)
        route.check_scope(kind)
        action = route.action(request.method)
        if route.subresource == routing.TOKEN:
            return await self._issue(exchange, route)
        if self._faults is not None:
            exchange = await befall(exchange, self._faults, route, action)
        reply = await self._counted(action, Call(exchange, route, kind, user))
        if reply is not None and isinstance(exchange, CutExchange):
            await exchange.respond(reply.status, reply.headers, reply.body)
        return reply

    async def _counted(self, action: Action, call: Call) -> Reply | None:
        verb, code = action.value, LEFT
        if action is Action.LIST and call.exchange.request.query.get("watch", [""])[0] in ("true", "1"):
            verb, code = WATCH, 200  # However it ends.
        try:
            reply = await self._verbs[action](call)
            code = reply.status if reply is not None else 200
            return reply
        except ApiError as exc:
            code = exc.status_code
            raise
        finally:
            self._server.requests.add(Asked(verb, call.route.plural, code))

    # --- documents ----------------------------------------------------------------------------------------

    @staticmethod
    def _public(segments: Sequence[str]) -> Reply | None:
        """What even strangers may ask, as in a real server: is it alive, and which version is it."""
        if segments and segments[0] in _HEALTH:
            return Reply(b"ok", headers=(("content-type", "text/plain; charset=utf-8"),))
        return Reply.of(discovery.VERSION) if segments == ["version"] else None

    def _document(self, request: Request, segments: Sequence[str]) -> Reply:
        if request.method not in ("GET", "HEAD"):
            raise failures.no_such_verb(request.method.lower())
        if segments == ["metrics"]:
            text = metrics.text(self._server.statistics(), self._server.requests.counts())
            return Reply(text, headers=(("content-type", metrics.TYPE),))
        types = self._server.resources()
        if segments[:2] == ["openapi", "v3"]:
            folder = "/".join(segments[2:])
            return _found(openapi.document(types, folder) if folder else openapi.index(types))
        found = discovery.entries(types)
        if len(segments) == 1 and segments[0] in ("api", "apis") and _wants_aggregated(request):
            body = encode(discovery.aggregated(found, core=segments[0] == "api"))
            return Reply(body, headers=(("content-type", discovery.AGGREGATED_TYPE),))
        match segments:
            case ["api"]:
                return Reply.of(discovery.core_versions(request.authority))
            case ["api", version]:
                return _found(discovery.resource_list(found, "", version))
            case ["apis"]:
                return Reply.of(discovery.group_list(found))
            case ["apis", group]:
                return _found(discovery.one_group(found, group))
            case ["apis", group, version]:
                return _found(discovery.resource_list(found, group, version))
        raise failures.no_such_resource()

    async def _issue(self, exchange: Exchange, route: Route) -> Reply:
        """A token for a ServiceAccount."""
        if self._authenticate.accounts is None:
            raise failures.no_such_resource()
        tokens, env = self._authenticate.accounts
        value = await read_value(exchange)
        return Reply.of(tokens.issue(route.namespace, route.name, value, env.now()), HTTPStatus.CREATED)

    async def _review(self, exchange: Exchange, route: Route, review: Resource, user: User) -> Reply:
        if route.action(exchange.request.method) is not Action.CREATE:
            raise failures.no_such_verb(exchange.request.method.lower())
        value = await read_value(exchange)
        whose = self._authenticate.user_of
        told = reviews.answer(review, value, user, whose, self._authorizer, route.namespace)
        return Reply.of(told, HTTPStatus.CREATED)


def _found(value: Mapping[str, Any] | None) -> Reply:
    if value is None:
        raise failures.no_such_resource()
    return Reply.of(value)


def _wants_aggregated(request: Request) -> bool:
    wanted = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}
    return any(wanted.items() <= given.items() for _, given in forms.accepted(request.header("accept")))
