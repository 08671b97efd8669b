# SPDX-License-Identifier: Apache-2.0
"""Errors in the shape in which Google's API front end sends them."""

from .wire import json_reply

BACKEND = {
    500: ("internalError", "Internal Error"),
    502: ("badGateway", "Bad Gateway"),
    503: ("backendError", "The service is currently unavailable."),
}
STATUS_WORD = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}


class ApiError(Exception):
    """Raised by a handler of the Drive API."""

    def __init__(self, code, reason, message, domain="global", location=None, location_type="parameter", headers=None):
        super().__init__(message)
        self.code, self.reason, self.message, self.domain = code, reason, message, domain
        self.location, self.location_type, self.headers = location, location_type, headers or {}

    def reply(self):
        first = {"message": self.message, "domain": self.domain, "reason": self.reason}
        if self.location:
            first["location"] = self.location
            first["locationType"] = self.location_type
        error = {"code": self.code, "message": self.message, "errors": [first]}
        if self.code in (401, 429) or self.reason == "insufficientPermissions":
            error["status"] = STATUS_WORD[self.code]
        return json_reply({"error": error}, self.code, self.headers)


class OAuthError(Exception):
    """Raised by a handler of the token end points; the shape of RFC 6749 5.2."""

    def __init__(self, code, error, description=None):
        super().__init__(error)
        self.code, self.error, self.description = code, error, description

    def reply(self):
        body = {"error": self.error}
        if self.description:
            body["error_description"] = self.description
        return json_reply(body, self.code)


def not_found(what):
    return ApiError(404, "notFound", f"File not found: {what}.", location="fileId")


def forbidden():
    return ApiError(403, "insufficientFilePermissions", "The user does not have sufficient permissions for this file.")


def invalid(parameter, message="Invalid Value"):
    return ApiError(400, "invalid", message, location=parameter)


def bad_request(message="Bad Request"):
    return ApiError(400, "badRequest", message)


def unauthorized():
    return ApiError(
        401, "authError", "Invalid Credentials", location="Authorization", location_type="header",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'})


def login_required():
    return ApiError(
        401, "required", "Login Required.", location="Authorization", location_type="header",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'})


def insufficient_scope():
    return ApiError(
        403, "insufficientPermissions", "Request had insufficient authentication scopes.",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'})


def backend(code, headers=None):
    reason, message = BACKEND.get(code, ("backendError", "Backend Error"))
    return ApiError(code, reason, message, headers=headers)
