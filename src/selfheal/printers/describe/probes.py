"""A probe on one line: ``http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3``."""

from __future__ import annotations

from urllib.parse import quote

from selfheal.printers.fields import Fields, at, number, strings, text
from selfheal.printers.network import host_port

_UNQUOTED = "$&+,/:;=@-_.~"
"""What Go leaves as it is in the path of a URL, beside letters and digits."""


def line(probe: Fields) -> str:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go DescribeProbe)"""
    return (
        f"{_action(probe)} delay={number(probe, 'initialDelaySeconds')}s timeout={number(probe, 'timeoutSeconds')}s "
        f"period={number(probe, 'periodSeconds')}s #success={number(probe, 'successThreshold')} "
        f"#failure={number(probe, 'failureThreshold')}"
    )


def _action(probe: Fields) -> str:
    if at(probe, "exec") is not None:
        return f"exec [{' '.join(strings(probe, 'exec.command'))}]"
    if at(probe, "httpGet") is not None:
        return f"http-get {_url(probe)}"
    if at(probe, "tcpSocket") is not None:
        return f"tcp-socket {text(probe, 'tcpSocket.host')}:{text(probe, 'tcpSocket.port', '0')}"
    if at(probe, "grpc") is not None:
        return f"grpc <pod>:{number(probe, 'grpc.port')} {text(probe, 'grpc.service')}"
    return "unknown"


def _url(probe: Fields) -> str:
    """An empty host stands for the pod's own address."""
    scheme = text(probe, "httpGet.scheme").lower()
    host = host_port(text(probe, "httpGet.host"), text(probe, "httpGet.port", "0"))
    path = quote(text(probe, "httpGet.path"), safe=_UNQUOTED)
    if path and not path.startswith("/"):
        path = "/" + path
    return (f"{scheme}:" if scheme else "") + f"//{host}{path}"
