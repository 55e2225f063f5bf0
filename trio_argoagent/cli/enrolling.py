"""An agent's certificate, from options to whoever keeps it valid."""

from __future__ import annotations

from pathlib import Path

from trio_argoagent.agent.applying import Applicant
from trio_argoagent.agent.enrolment import use_token
from trio_argoagent.agent.keeping import CERTIFICATE, KEY, ROOTS, Drawer, FileDrawer, SecretDrawer, Store
from trio_argoagent.agent.office import TlsOffice
from trio_argoagent.agent.renewal import Renewer
from trio_argoagent.cli.bootstrap_options import Bootstrap, parsed
from trio_argoagent.cli.link_tls_options import AgentTls
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.errors import UserError
from trio_argoagent.pki.tokens import Token
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.options.usual import CA_SECRET, CLIENT_SECRET


async def enrolled(
    bootstrap: Bootstrap, tls: AgentTls, place: Place, office: TlsOffice, env: Env, observer: Observer
) -> Renewer:
    """Whoever keeps the certificate valid; where there is a token for it, there is one afterwards.

    Args:
        bootstrap: what the user says.
        tls: where the certificate and the hub's roots are.
        place: of Secrets.
        office: of the hub.
        env: time and chance.
        observer: told what happens.

    Raises:
        UserError: the token cannot be used, or the options contradict each other.
    """
    bootstrap.check(insecure=tls.insecure_tls)
    applicant = Applicant(office, make_store(tls, place))
    token = read_token(bootstrap, observer)
    if token is not None:
        await use_token(token, applicant, office, env, observer)
    return Renewer(applicant, env, observer, renews=bootstrap.renews)


def read_token(bootstrap: Bootstrap, observer: Observer) -> Token | None:
    """The token that was given; None: there is none (any more).

    Raises:
        UserError: it is none, or cannot be read.
    """
    option, text = "--bootstrap-token", bootstrap.token
    if bootstrap.token_file:
        option, path = "--bootstrap-token-file", Path(bootstrap.token_file)
        try:
            text = path.read_text("ascii", "replace")[:1024]
        except FileNotFoundError:
            # It has done its work, and somebody has tidied up. Else what is missing now is told next.
            observer(Event("token-ignored", "", f"there is no bootstrap token in {path}"))
            return None
        except OSError as exc:
            raise UserError(f"{option}: cannot read {path}: {exc.strerror}") from exc
    return parsed(text, option) if text else None


def make_store(tls: AgentTls, place: Place) -> Store:
    """Where the options say that everything is.

    Raises:
        UserError: they contradict each other.
    """
    identity: Drawer = SecretDrawer(
        place.cluster, place.namespace, tls.tls_secret_name or CLIENT_SECRET, "kubernetes.io/tls"
    )
    if tls.tls_client_cert or tls.tls_client_key:
        if not (tls.tls_client_cert and tls.tls_client_key):
            raise UserError("--tls-client-cert and --tls-client-key: give both or neither")
        identity = FileDrawer({KEY: tls.tls_client_key, CERTIFICATE: tls.tls_client_cert})
    trust: Drawer = SecretDrawer(place.cluster, place.namespace, tls.root_ca_secret_name or CA_SECRET)
    if tls.root_ca_path:
        trust = FileDrawer({ROOTS: tls.root_ca_path})
    return Store(identity, trust)
