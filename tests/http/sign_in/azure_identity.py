"""Prints the token requests that azure-identity makes, one JSON object a line. Nothing is sent: a
transport of our own writes down what it is given, and answers."""

import json
import os
import sys
from urllib.parse import parse_qsl, urlsplit

from azure.core.pipeline.transport import HttpTransport
from azure.core.rest._requests_basic import RestRequestsTransportResponse
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
import requests


class Recorder(HttpTransport):
    def open(self):
        pass

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def send(self, request, **_):
        url = urlsplit(request.url)
        body = request.body if isinstance(request.body, (str, bytes)) else ""
        body = body.decode() if isinstance(body, bytes) else body
        form = request.content if not body and hasattr(request, "content") else body
        data = getattr(request, "_data", None) or form
        data = dict(data) if isinstance(data, dict) else dict(parse_qsl(data or ""))
        tells = ("metadata", "x-identity-header", "content-type")
        headers = {k.lower(): v for k, v in request.headers.items() if k.lower() in tells}
        if "discovery" not in url.path and "openid-configuration" not in url.path:
            print(json.dumps({
                "method": request.method,
                "path": url.path,
                "query": dict(parse_qsl(url.query)),
                "form": {k: str(v) for k, v in data.items()},
                "headers": headers,
            }, sort_keys=True))
        return answer(request, url)


def answer(request, url):
    host = f"{url.scheme}://{url.netloc}"
    tenant = f"{host}/contoso"
    reply = {
        "token_type": "Bearer", "access_token": "a-token", "expires_in": 3599,
        "expires_on": "4102444800", "resource": "r",
        "tenant_discovery_endpoint": f"{tenant}/v2.0/.well-known/openid-configuration",
        "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        "issuer": f"{tenant}/v2.0", "metadata": [], "api-version": "1.1",
    }
    raw = requests.Response()
    raw.status_code, raw._content = 200, json.dumps(reply).encode()
    raw.headers["content-type"] = "application/json"
    from azure.core.pipeline.transport import RequestsTransportResponse
    response = RequestsTransportResponse(request, raw)
    return response


scope = sys.argv[1]
ClientSecretCredential(
    "contoso", "an-app", "a-secret+/=&", authority="https://login.microsoftonline.com",
    transport=Recorder(), disable_instance_discovery=True,
).get_token(scope)
for variables in [
    {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/msi/token", "IDENTITY_HEADER": "a-header"},
    {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"},
]:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        os.environ.pop(name, None)
    os.environ.update(variables)
    for identity in (None, "an-identity"):
        ManagedIdentityCredential(client_id=identity, transport=Recorder()).get_token(scope)
