"""What each verb does: the options read, the server asked, the answer put into its form.

A client that does not take the form of the answer is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

import attrs

from trio_argoagent.apiserver.core import access, failures, forms, grants, options, patches, statuses
from trio_argoagent.apiserver.core.access import Attributes, Authorizer
from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.routing import Action, Route
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.apiserver.core.values import Written
from trio_argoagent.apiserver.http.replies import (
    JSON_HEADER,
    Reply,
    decoded,
    from_yaml,
    media_type,
    read_bytes,
    read_value,
)
from trio_argoagent.apiserver.http.watches import WatchStream
from trio_argoagent.errors import Expired
from trio_argoagent.net.http import Exchange, Request
from trio_argoagent.ports.env import Env

_PATCHES: Final = (patches.JSON_PATCH, patches.MERGE_PATCH, patches.STRATEGIC_PATCH)


@attrs.frozen(eq=False)
class Call:
    """A request about a resource, as far as it has been understood.

    Attributes:
        exchange: where the answer goes.
        route: what its path names.
        kind: the resource.
        user: who asks; the actor of what is written.
    """

    exchange: Exchange
    route: Route
    kind: ResourceType
    user: User

    @property
    def request(self) -> Request:
        """What is asked."""
        return self.exchange.request

    @property
    def query(self) -> options.Query:
        """Its parameters."""
        return self.exchange.request.query

    def manager(self, asked: options.WriteOptions) -> str:
        """What the client calls itself: in so many words, or by the name of its program."""
        program = self.request.header("user-agent").partition("/")[0]
        return asked.manager or program[: options.MAX_MANAGER] or self.user.name

    def renderer(self) -> forms.Renderer:
        """What makes the answer in the form that the client wants.

        Raises:
            ApiError: 406, it wants none that there is.
        """
        form = forms.negotiate(self.request.header("accept"))
        return forms.Renderer(self.kind, form, options.include_object(self.query))


Do: TypeAlias = Callable[[Call], Awaitable[Reply | None]]
"""Answers a call; None: it has been answered already, as a stream."""


class Verbs:
    """The verbs of one server.

    Args:
        server: what answers.
        env: its wall clock, and the spread of watches' lifetimes.
        authorizer: for what a write turns out to need besides.
    """

    def __init__(self, server: ApiServer, env: Env, authorizer: Authorizer) -> None:
        self._server = server
        self._env = env
        self._authorizer = authorizer
        self.table: Mapping[Action, Do] = {
            Action.GET: self._get,
            Action.LIST: self._list,
            Action.CREATE: self._create,
            Action.UPDATE: self._update,
            Action.PATCH: self._patch,
            Action.DELETE: self._delete,
            Action.DELETE_COLLECTION: self._delete_collection,
        }

    async def _get(self, call: Call) -> Reply:
        route, renderer = call.route, call.renderer()
        stored = self._server.get(call.kind, route.namespace, route.name)
        return Reply(renderer.one(stored, self._env.now()))

    async def _list(self, call: Call) -> Reply | None:
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

    async def _watch(self, call: Call, asked: options.ListOptions, renderer: forms.Renderer) -> None:
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

    async def _create(self, call: Call) -> Reply:
        asked, renderer = options.WriteOptions.read(call.query), call.renderer()
        value = await read_value(call.exchange)
        write = partial(
            self._server.create,
            call.kind,
            call.route.namespace,
            value,
            actor=call.user.name,
            now=self._env.now(),
            validation=asked.validation,
        )
        return self._written(call, write, asked, renderer)

    async def _update(self, call: Call) -> Reply:
        asked, renderer = options.WriteOptions.read(call.query), call.renderer()
        value = await read_value(call.exchange)
        write = partial(
            self._server.update,
            call.kind,
            call.route.namespace,
            call.route.name,
            value,
            actor=call.user.name,
            now=self._env.now(),
            manager=call.manager(asked),
            subresource=call.route.subresource,
            validation=asked.validation,
        )
        return self._written(call, write, asked, renderer)

    async def _patch(self, call: Call) -> Reply:
        asked, renderer = options.WriteOptions.read(call.query), call.renderer()
        content_type = media_type(call.request)
        asked.check_patch(content_type)
        if content_type == patches.APPLY_PATCH:
            return await self._apply(call, asked, renderer)
        patch = decoded(await read_bytes(call.exchange), "patch") if content_type in _PATCHES else None
        write = partial(
            self._server.patch,
            call.kind,
            call.route.namespace,
            call.route.name,
            patch,
            content_type=content_type,
            actor=call.user.name,
            now=self._env.now(),
            manager=call.manager(asked),
            subresource=call.route.subresource,
            validation=asked.validation,
        )
        return self._written(call, write, asked, renderer)

    async def _apply(self, call: Call, asked: options.WriteOptions, renderer: forms.Renderer) -> Reply:
        value = from_yaml(await read_bytes(call.exchange), "patch")
        write = partial(
            self._server.apply,
            call.kind,
            call.route.namespace,
            call.route.name,
            value,
            manager=asked.manager,
            actor=call.user.name,
            now=self._env.now(),
            force=bool(asked.force),
            subresource=call.route.subresource,
        )
        return self._written(call, write, asked, renderer)

    def _written(
        self,
        call: Call,
        write: Callable[..., Written],
        asked: options.WriteOptions,
        renderer: forms.Renderer,
    ) -> Reply:
        """Write, if the user may do what that comes to: grant a right, or create by a patch."""
        if self._authorizer.refuses:
            self._check(call, write)
        written = write(dry_run=asked.dry_run)
        headers = (JSON_HEADER, *statuses.warnings(written.warnings))
        status = 201 if written.created else 200
        return Reply(renderer.one(written.stored, self._env.now()), status, headers)

    def _check(self, call: Call, write: Callable[..., Written]) -> None:
        route, resource = call.route, call.kind.resource
        applies = media_type(call.request) == patches.APPLY_PATCH
        if not applies and not grants.is_grant(resource):
            return
        would = write(dry_run=True)
        if would.created and applies:
            about = (route.group, route.plural, route.subresource, route.namespace, route.name)
            access.check(self._authorizer, call.user, Attributes("create", *about))
        if would.changed and grants.is_grant(resource):
            self._authorizer.check_grant(call.user, resource, would.stored.value)

    async def _delete(self, call: Call) -> Reply:
        route = call.route
        if route.subresource:
            raise failures.no_such_verb("delete")
        renderer = call.renderer()
        asked = options.DeleteOptions.read(call.query, await read_value(call.exchange, optional=True))
        gone = self._server.delete(
            call.kind,
            route.namespace,
            route.name,
            actor=call.user.name,
            now=self._env.now(),
            uid=asked.uid,
            resource_version=asked.resource_version,
            propagation=asked.propagation,
            dry_run=asked.dry_run,
        )
        if gone.gone:
            return Reply.of(statuses.deleted(call.kind.resource, gone.stored))
        return Reply(renderer.one(gone.stored, self._env.now()))

    async def _delete_collection(self, call: Call) -> Reply:
        which, renderer = options.ListOptions.read(call.query), call.renderer()
        asked = options.DeleteOptions.read(call.query, await read_value(call.exchange, optional=True))
        gone = self._server.delete_collection(
            call.kind,
            call.route.namespace,
            actor=call.user.name,
            now=self._env.now(),
            labels=which.labels,
            fields=which.fields,
            propagation=asked.propagation,
            dry_run=asked.dry_run,
        )
        found = [each.stored for each in gone]
        return Reply(renderer.items(found, self._server.rv, self._env.now()))
