"""One request of a Kubernetes client, from its path to its answer.

Everything is decided by the pure core; here its pieces are put in order: who asks, what the path names,
what the body says, what the server does, in which form the answer goes out. A refusal is a Status.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from trio_argoagent.apiserver.core import (
    discovery,
    failures,
    forms,
    openapi,
    options,
    patches,
    protobuf,
    reviews,
    routing,
    statuses,
)
from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.routing import Action, Route
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Stored, Written, encode
from trio_argoagent.apiserver.http.access import Authenticate
from trio_argoagent.apiserver.http.watches import WatchStream
from trio_argoagent.errors import ApiError, BadRequest, Expired, UnsupportedMedia
from trio_argoagent.model.objects import decode
from trio_argoagent.model.resources import Resource
from trio_argoagent.net.errors import BodyTooLarge
from trio_argoagent.net.http import Exchange, Headers, Request
from trio_argoagent.ports.env import Env

BODY: Final = 3 * 1024 * 1024  # bytes of a request body
JSON_TYPES: Final = ("", "application/json")
APPLY_PATCH: Final = "application/apply-patch+yaml"

_JSON_HEADER: Final = ("content-type", "application/json")
_HEALTH: Final = ("healthz", "livez", "readyz")
_PATCHES: Final = (patches.JSON_PATCH, patches.MERGE_PATCH, patches.STRATEGIC_PATCH)


@attrs.frozen
class Reply:
    """An answer in one piece."""

    body: bytes
    status: int = 200
    headers: Headers = (_JSON_HEADER,)

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Reply:
        """A JSON value."""
        return cls(encode(value), status)

    @classmethod
    def refusal(cls, error: ApiError) -> Reply:
        """The Status of an error."""
        headers = (_JSON_HEADER, *statuses.retry_after(error))
        return cls(encode(statuses.failure(error)), error.status_code, headers)


@attrs.frozen(eq=False)
class _Call:
    """A request about a resource, as far as it has been understood."""

    exchange: Exchange
    route: Route
    kind: ResourceType
    user: str

    @property
    def request(self) -> Request:
        return self.exchange.request

    @property
    def query(self) -> options.Query:
        return self.exchange.request.query

    def renderer(self) -> forms.Renderer:
        form = forms.negotiate(self.request.header("accept"))
        return forms.Renderer(self.kind, form, options.include_object(self.query))


_Do: TypeAlias = Callable[[_Call], Awaitable[Reply | None]]


class ApiHandler:
    """A ``net.http.Handler`` in front of an ``ApiServer``.

    Args:
        server: what answers.
        env: its wall clock, and the spread of watches' lifetimes.
        authenticate: says who a request is from; the user becomes the actor of the server's log.
    """

    def __init__(self, server: ApiServer, *, env: Env, authenticate: Authenticate) -> None:
        self._server = server
        self._env = env
        self._authenticate = authenticate
        self._do: Mapping[Action, _Do] = {
            Action.GET: self._get,
            Action.LIST: self._list,
            Action.CREATE: self._create,
            Action.UPDATE: self._update,
            Action.PATCH: self._patch,
            Action.DELETE: self._delete,
            Action.DELETE_COLLECTION: self._delete_collection,
        }

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            reply = await self._answer(exchange)
        except ApiError as exc:
            reply = Reply.refusal(exc)
        except BodyTooLarge:
            text = f"Request entity too large: limit is {BODY}"
            reply = Reply.refusal(ApiError(text, code=413, reason="RequestEntityTooLarge"))
        if reply is not None:
            await exchange.respond(reply.status, reply.headers, reply.body)

    async def _answer(self, exchange: Exchange) -> Reply | None:
        request = exchange.request
        segments = routing.split(request.path)
        public = self._public(segments)
        if public is not None:
            return public
        user = self._authenticate(request)
        # Everybody who is known may do everything, and so also act as somebody else.
        user = request.header("impersonate-user") or user
        route = routing.parse(segments)
        if route is None:
            return self._document(request, segments)
        review = reviews.find(route.group, route.version, route.plural)
        if review is not None:
            return await self._review(exchange, route, review, user)
        kind = self._server.resource(route.group, route.version, route.plural)
        route.check_scope(kind)
        return await self._do[route.action(request.method)](_Call(exchange, route, kind, user))

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

    async def _review(self, exchange: Exchange, route: Route, review: Resource, user: str) -> Reply:
        if route.action(exchange.request.method) is not Action.CREATE:
            raise failures.no_such_verb(exchange.request.method.lower())
        return Reply.of(reviews.answer(review, await _read_body(exchange), user), 201)

    # --- reading ------------------------------------------------------------------------------------------

    async def _get(self, call: _Call) -> Reply:
        route = call.route
        if route.subresource not in ("", *call.kind.subresources):
            raise failures.no_such_resource()
        renderer = call.renderer()
        stored = self._server.get(call.kind, route.namespace, route.name)
        return Reply(renderer.one(stored, self._env.now()))

    async def _list(self, call: _Call) -> Reply | None:
        asked, renderer = options.ListOptions.read(call.query), call.renderer()
        if asked.watch:
            await self._watch(call, asked, renderer)
            return None
        page = self._server.list(
            call.kind,
            call.route.namespace,
            labels=asked.labels,
            fields=asked.fields,
            resource_version=asked.resource_version,
            match=asked.match,
            limit=asked.limit,
            continue_token=asked.continue_token,
        )
        return Reply(renderer.page(page, self._env.now()))

    async def _watch(self, call: _Call, asked: options.ListOptions, renderer: forms.Renderer) -> None:
        stream = WatchStream(self._server, call.exchange, renderer, self._env)
        try:
            watch = self._server.watch(
                call.kind,
                call.route.namespace,
                labels=asked.labels,
                fields=asked.fields,
                resource_version=asked.resource_version,
                match=asked.match,
                initial_events=asked.initial_events,
                bookmarks=asked.bookmarks,
            )
        except Expired as exc:
            await stream.refuse(exc)
            return
        await stream.run(watch, asked.timeout)

    # --- writing ------------------------------------------------------------------------------------------

    async def _create(self, call: _Call) -> Reply:
        asked, renderer = options.WriteOptions.read(call.query), call.renderer()
        value = await _read_body(call.exchange)
        written = self._server.create(
            call.kind,
            call.route.namespace,
            value,
            actor=call.user,
            now=self._env.now(),
            dry_run=asked.dry_run,
            validation=asked.validation,
        )
        return self._written(written, renderer, 201)

    async def _update(self, call: _Call) -> Reply:
        asked, renderer = options.WriteOptions.read(call.query), call.renderer()
        value = await _read_body(call.exchange)
        written = self._server.update(
            call.kind,
            call.route.namespace,
            call.route.name,
            value,
            actor=call.user,
            now=self._env.now(),
            subresource=call.route.subresource,
            dry_run=asked.dry_run,
            validation=asked.validation,
        )
        return self._written(written, renderer)

    async def _patch(self, call: _Call) -> Reply:
        asked, renderer = options.WriteOptions.read(call.query), call.renderer()
        content_type = _media_type(call.request)
        if content_type == APPLY_PATCH:
            raise UnsupportedMedia(
                "server-side apply is not served here: use client-side apply, or one of these media types: "
                + ", ".join(_PATCHES)
            )
        patch = _decoded(await call.exchange.body(BODY), "patch") if content_type in _PATCHES else None
        written = self._server.patch(
            call.kind,
            call.route.namespace,
            call.route.name,
            patch,
            content_type=content_type,
            actor=call.user,
            now=self._env.now(),
            subresource=call.route.subresource,
            dry_run=asked.dry_run,
            validation=asked.validation,
        )
        return self._written(written, renderer)

    def _written(self, written: Written, renderer: forms.Renderer, status: int = 200) -> Reply:
        headers = (_JSON_HEADER, *statuses.warnings(written.warnings))
        return Reply(renderer.one(written.stored, self._env.now()), status, headers)

    async def _delete(self, call: _Call) -> Reply:
        route = call.route
        if route.subresource:
            raise failures.no_such_verb("delete")
        renderer = call.renderer()
        asked = options.DeleteOptions.read(call.query, await _read_body(call.exchange, optional=True))
        gone = self._server.delete(
            call.kind,
            route.namespace,
            route.name,
            actor=call.user,
            now=self._env.now(),
            uid=asked.uid,
            resource_version=asked.resource_version,
            propagation=asked.propagation,
            dry_run=asked.dry_run,
        )
        if gone.gone:
            return Reply.of(statuses.deleted(call.kind.resource, gone.stored))
        return Reply(renderer.one(gone.stored, self._env.now()))

    async def _delete_collection(self, call: _Call) -> Reply:
        which, renderer = options.ListOptions.read(call.query), call.renderer()
        asked = options.DeleteOptions.read(call.query, await _read_body(call.exchange, optional=True))
        gone = self._server.delete_collection(
            call.kind,
            call.route.namespace,
            actor=call.user,
            now=self._env.now(),
            labels=which.labels,
            fields=which.fields,
            propagation=asked.propagation,
            dry_run=asked.dry_run,
        )
        items: list[Stored] = [each.stored for each in gone]
        return Reply(renderer.items(items, self._server.rv, self._env.now()))


def _found(value: Mapping[str, Any] | None) -> Reply:
    if value is None:
        raise failures.no_such_resource()
    return Reply.of(value)


def _wants_aggregated(request: Request) -> bool:
    wanted = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}
    return any(wanted.items() <= given.items() for _, given in forms.accepted(request.header("accept")))


def _media_type(request: Request) -> str:
    return request.header("content-type").partition(";")[0].strip().lower()


async def _read_body(exchange: Exchange, *, optional: bool = False) -> Any:
    """The body's value; None where it may be left out and is."""
    data = await exchange.body(BODY)
    if not data and optional:
        return None
    media = _media_type(exchange.request)
    if media == protobuf.MEDIA_TYPE:
        return protobuf.decode(data)
    if media not in JSON_TYPES:
        raise failures.unsupported_media(["application/json", protobuf.MEDIA_TYPE])
    return _decoded(data, "body")


def _decoded(data: bytes, what: str) -> Any:
    try:
        return decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise BadRequest(f"the {what} of the request is not JSON: {exc}") from None
