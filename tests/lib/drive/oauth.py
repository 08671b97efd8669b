# SPDX-License-Identifier: Apache-2.0
"""Google's OAuth 2.0 end points: consent, token, device code, revocation."""

import base64
import hashlib
import html
import json
import re
import secrets
import time
import urllib.parse

from . import rsa
from .access import APPDATA, AUTH, FILE
from .errors import OAuthError
from .wire import Reply, json_reply

DEVICE_SCOPES = {FILE, APPDATA, "email", "openid", "profile", AUTH + "userinfo.email", AUTH + "userinfo.profile"}
TOKEN_LIFE = 3599
CODE_LIFE = 600
DEVICE_LIFE = 1800
TOKEN_URLS = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token",
              "https://www.googleapis.com/oauth2/v4/token")
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


def page(status, title, text):
    head = f"<head><title>{html.escape(title)}</title></head>"
    body = f"<!DOCTYPE html><html>{head}<body><p>{html.escape(text)}</p></body></html>\n"
    return Reply(status, body.encode(), {"Content-Type": "text/html; charset=utf-8"})


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class OAuth:
    def __init__(self, state):
        self.state = state

    # Tokens

    def issue(self, account, client, scopes, life=None, refresh=None):
        """An access token; refresh: the token that it came from, with which it is revoked."""
        value = "ya29." + secrets.token_urlsafe(48)
        life = int(self.state.setting("token_life", TOKEN_LIFE) if life is None else life)
        self.state.tokens.put(value, {"value": value, "kind": "access", "account": account, "client": client,
                                      "scopes": sorted(scopes), "expires": time.time() + life, "refresh": refresh})
        return {"access_token": value, "expires_in": life, "scope": " ".join(scopes), "token_type": "Bearer"}

    def issue_both(self, account, client, scopes, life=None):
        value = "1//0" + secrets.token_urlsafe(48)
        record = {"value": value, "kind": "refresh", "account": account, "client": client, "scopes": sorted(scopes),
                  "expires": None}
        refresh_life = self.state.setting("refresh_life")  # 7 days for a project in "Testing"
        if refresh_life is not None:
            record["expires"] = time.time() + float(refresh_life)
        self.state.tokens.put(value, record)
        return {**self.issue(account, client, scopes, life, value), "refresh_token": value}

    def _client(self, form, request):
        """Who asks, in the form or by Basic; a desktop program's secret is no secret, but has to be right."""
        basic = request.headers.get("authorization", "")
        if basic.startswith("Basic "):
            name, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
            form = {"client_id": urllib.parse.unquote(name), "client_secret": urllib.parse.unquote(secret), **form}
        client = self.state.clients.get(form.get("client_id", ""))
        if not client:
            raise OAuthError(401, "invalid_client", "The OAuth client was not found.")
        if not form.get("client_secret"):
            raise OAuthError(400, "invalid_request", "client_secret is missing.")
        if form["client_secret"] != client["secret"]:
            raise OAuthError(401, "invalid_client", "Unauthorized")
        return client["id"]

    # Consent

    def authorize(self, request, _):
        """The consent page, answered by the test's switch instead of a person."""
        query = request.query
        client = self.state.clients.get(query.get("client_id", ""))
        if not client:
            return page(401, "Error 401: invalid_client", "The OAuth client was not found.")
        redirect = query.get("redirect_uri", "")
        if not re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)", redirect):
            return page(400, "Error 400: redirect_uri_mismatch", "The redirect URI does not comply with the policy.")
        if query.get("response_type") != "code" or not query.get("scope"):
            return page(400, "Error 400: invalid_request", "Required parameter is missing or wrong.")
        if query.get("code_challenge") and query.get("code_challenge_method", "plain") not in ("S256", "plain"):
            return page(400, "Error 400: invalid_request", "Unsupported code_challenge_method.")
        return self._decide(query, client["id"], redirect)

    def _decide(self, query, client, redirect):
        consent = self.state.setting("consent", {})
        back = {"state": query["state"]} if "state" in query else {}
        mode = consent.get("mode", "allow")
        if mode == "ignore":
            return page(200, "Sign in", "The person looks at this page, and does nothing.")
        off = set(consent.get("untick", ()))
        scopes = [s for s in query["scope"].split() if s not in off and s.removeprefix(AUTH) not in off]
        if mode == "deny":
            back["error"] = "access_denied"
        else:
            account = consent.get("account") or query.get("login_hint") or next(iter(self.state.accounts))
            if account not in self.state.accounts:
                return page(400, "Error 400: invalid_request", "There is no such account.")
            code = "4/0A" + secrets.token_urlsafe(40)
            self.state.tokens.put(code, {
                "value": code, "kind": "code", "account": account, "client": client, "scopes": scopes,
                "redirect": redirect, "challenge": query.get("code_challenge"),
                "method": query.get("code_challenge_method", "plain"), "expires": time.time() + CODE_LIFE})
            back.update(code=code, scope=" ".join(scopes))
        back.update({k: v for k, v in consent.get("override", {}).items()})  # a forged state, a wrong code
        joint = "&" if "?" in redirect else "?"
        return Reply(302, headers={"Location": redirect + joint + urllib.parse.urlencode(back)})

    # The token end point

    def token(self, request, _):
        form = request.form()
        grants = {"authorization_code": self._by_code, "refresh_token": self._by_refresh,
                  "urn:ietf:params:oauth:grant-type:device_code": self._by_device,
                  "http://oauth.net/grant_type/device/1.0": self._by_device,
                  "urn:ietf:params:oauth:grant-type:jwt-bearer": self._by_jwt}
        grant = grants.get(form.get("grant_type", ""))
        if not grant:
            raise OAuthError(400, "unsupported_grant_type", "Invalid grant_type: " + form.get("grant_type", ""))
        answer = grant(form, request)
        return json_reply(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _by_code(self, form, request):
        client = self._client(form, request)
        code = self.state.tokens.get(form.get("code", ""))
        if not code or code["kind"] != "code" or code["client"] != client or code["expires"] < time.time():
            raise OAuthError(400, "invalid_grant", "Malformed auth code.")
        self.state.tokens.remove(code["value"])  # good for one attempt
        if form.get("redirect_uri") != code["redirect"]:
            raise OAuthError(400, "redirect_uri_mismatch", "Bad Request")
        self._check_verifier(code, form.get("code_verifier"))
        return self.issue_both(code["account"], client, code["scopes"])

    @staticmethod
    def _check_verifier(code, verifier):
        """RFC 7636 4.6."""
        if not code["challenge"]:
            return
        if not verifier:
            raise OAuthError(400, "invalid_grant", "Missing code verifier.")
        got = verifier
        if code["method"] == "S256":
            got = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if got != code["challenge"] or not re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier):
            raise OAuthError(400, "invalid_grant", "Invalid code verifier.")

    def _by_refresh(self, form, request):
        client = self._client(form, request)
        token = self.state.tokens.get(form.get("refresh_token", ""))
        if not token or token["kind"] != "refresh" or token["client"] != client:
            raise OAuthError(400, "invalid_grant", "Bad Request")
        if token["expires"] is not None and token["expires"] < time.time():
            raise OAuthError(400, "invalid_grant", "Token has been expired or revoked.")
        return self.issue(token["account"], client, token["scopes"], refresh=token["value"])

    # Devices without a browser

    def device(self, request, _):
        form = request.form()
        client = form.get("client_id", "")
        if client not in self.state.clients:
            raise OAuthError(401, "invalid_client", "The OAuth client was not found.")
        scopes = form.get("scope", "").split()
        wrong = [s for s in scopes if s not in DEVICE_SCOPES]
        if wrong or not scopes:
            raise OAuthError(400, "invalid_scope", "Invalid device flow scope: " + " ".join(wrong))
        user_code = "-".join("".join(secrets.choice(CONSONANTS) for _ in range(4)) for _ in range(2))
        device_code = "AH-1" + secrets.token_urlsafe(60)
        interval = int(self.state.setting("device_interval", 5))
        life = float(self.state.setting("device_life", DEVICE_LIFE))
        self.state.tokens.put(device_code, {
            "value": device_code, "kind": "device", "client": client, "scopes": scopes, "user_code": user_code,
            "expires": time.time() + life, "mode": None, "account": None,
            "interval": interval, "polled": 0})
        return json_reply({"device_code": device_code, "user_code": user_code, "expires_in": int(life),
                           "interval": interval, "verification_url": "https://www.google.com/device"})

    def _by_device(self, form, request):
        client = self._client(form, request)
        device = self.state.tokens.get(form.get("device_code") or form.get("code", ""))
        if not device or device["kind"] != "device" or device["client"] != client:
            raise OAuthError(400, "invalid_grant", "Malformed device code.")
        if device["expires"] < time.time():
            raise OAuthError(400, "expired_token", "The device code has expired.")
        now, last = time.time(), device["polled"]
        device["polled"] = now
        self.state.tokens.put(device["value"], device)
        if now - last < device["interval"] * 0.9:  # what the network makes earlier is no haste
            raise OAuthError(403, "slow_down", "Forbidden")
        if device["mode"] is None:
            raise OAuthError(428, "authorization_pending", "Precondition Required")
        if device["mode"] == "deny":
            raise OAuthError(403, "access_denied", "Forbidden")
        self.state.tokens.remove(device["value"])
        return self.issue_both(device["account"], client, device["scopes"])

    def decide_device(self, user_code, mode, account):
        """Of the code that the person typed; without one the newest."""
        for token in reversed(list(self.state.tokens.values())):
            if token["kind"] == "device" and (token["user_code"] == user_code or not user_code):
                token.update(mode=mode, account=account or next(iter(self.state.accounts)))
                self.state.tokens.put(token["value"], token)
                return True
        return False

    # Service accounts (RFC 7523)

    def _by_jwt(self, form, request):
        try:
            head, claims, signature = form.get("assertion", "").split(".")
            header, body = json.loads(unpad(head)), json.loads(unpad(claims))
            signature = unpad(signature)
        except ValueError:
            raise OAuthError(400, "invalid_grant", "Invalid JWT: Failed to parse.") from None
        account = self.state.accounts.get(body.get("iss", ""))
        if not account or not account.get("public_key"):
            raise OAuthError(400, "invalid_grant", "Invalid grant: account not found")
        signed = f"{head}.{claims}".encode()
        if header.get("alg") != "RS256" or not rsa.verify(account["public_key"], signed, signature):
            raise OAuthError(400, "invalid_grant", "Invalid JWT Signature.")
        self._check_claims(body, request)
        return self.issue(account["email"], account["email"], body["scope"].split())

    @staticmethod
    def _check_claims(body, request):
        if body.get("aud") not in (*TOKEN_URLS, request.base + request.path):
            raise OAuthError(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        now, issued, ends = time.time(), body.get("iat"), body.get("exp")
        whole = isinstance(issued, int) and isinstance(ends, int)
        if not whole or issued > now + 300 or ends < now or ends > issued + 3600:
            raise OAuthError(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in "
                             "a reasonable timeframe. Check your iat and exp values in the JWT claim.")
        if not body.get("scope"):
            raise OAuthError(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        if body.get("sub") not in (None, body["iss"]):
            raise OAuthError(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this "
                             "method, or client not authorized for any of the scopes requested.")

    # Revocation

    def revoke(self, request, _):
        value = request.form().get("token") or request.query.get("token", "")
        token = self.state.tokens.get(value)
        if not token or token["kind"] not in ("access", "refresh"):
            raise OAuthError(400, "invalid_token", "Token expired or revoked")
        root = token["value"] if token["kind"] == "refresh" else token["refresh"] or token["value"]
        for key in [k for k, t in self.state.tokens.items() if k == root or t.get("refresh") == root]:
            self.state.tokens.remove(key)
        return json_reply({})
