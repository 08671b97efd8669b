#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An emulator of Google Drive (API v3) and of Google's OAuth 2.0 end points, for tests.

    drive_emulator.py -state DIR -ready FILE [-listen HOST:PORT] [-tls CERT KEY] [-tunnel CERT KEY]
                      [-account EMAIL]... [-client ID SECRET]... [-fault JSON]...

It is faithful to the documentation of the service, and to no client. FILE holds HOST:PORT and appears whole once it serves. What
clients put there lies in DIR and survives a kill; faults and the log do not. -tls serves HTTPS instead of HTTP; -tunnel answers
CONNECT for every host, as a proxy that leads to this server under that certificate.

Served: /drive/v3 (files, permissions, revisions, drives, changes, about), /upload/drive/v3 (media, multipart, resumable),
/o/oauth2/v2/auth, /token, /device/code, /revoke.

A test arranges and looks by POST /_control {"COMMAND": {arguments}, ...} (one command: its answer alone) or /_control/COMMAND?arg=...:

  account account= [quota=BYTES]          made where it is new           client id= secret=
  token account= [client=] [scope="drive drive.file"] [life=]             access and refresh token without consent
  service-account account= [token_uri=]   the key file                   expire [token=] [account=] [kind=refresh]
  consent mode=allow|deny|ignore [account=] [untick=[SCOPE]] [override={PARAMETER: VALUE}]     what the user does on the consent page
  device mode=allow|deny [user_code=] [account=]
  folder account= [name=] [parent=] [client=]                             answers {"id"}
  drive account= [name=]                  a shared drive, account its organizer; answers {"id"}
  share file= account= role=ROLE|none     file: also a shared drive       owner file= account=
  trash file= [trashed=false]             delete file=                    damage file= [at=]  flips a stored byte
  content file= [revision=]               the bytes                       dump  everything with trash and revisions
  settings {token_life, refresh_life, list_lag, granularity, session_life, device_interval, device_life, page_cap, incomplete_search}
  fault {"fault": NAME, ...}, faults [...], clear {}
  stats, log, reset

list_lag: a file created from now on appears in lists so many seconds later. granularity: of a broken chunk whole multiples are kept.

A fault hits the requests of a "kind" (files.list, files.media, upload.*, oauth.token ...: a pattern, or several with commas; default
all), after the first "skip" the "every"-th one (1), "times" times (no limit). Of several the first that hits acts.

  429 500 502 503 504 rateLimitExceeded userRateLimitExceeded dailyLimitExceeded storageQuotaExceeded    [retry_after] seconds, [as_date]
                           an upload that waits for a 100 is refused before its body
  expired                  401, and the token is indeed expired
  html, garbage            instead of JSON, [status] (200); endless: JSON without end, at most [bytes]
  redirect                 [status] 302 to [location], by default /elsewhere on another host's name
  reset_before             the request is not acted upon            lost_reply    acted upon, reset before the answer
  reset_mid                in the middle of the body, up or down, or after [at] bytes      reset_after   after the whole answer
  truncated                half the body (or [at] bytes), then an orderly end; framed: its length says so too
  stall                    half the body (or [at] bytes), then nothing for [seconds] (600)        corrupted   one byte of the body differs
  corrupt_upload           what is stored differs in a byte, so the checksums told do too
  slow                     [seconds] (1) before anything
  hold, hold_reply         until "clear" nothing comes, before or after the request was acted upon; who is gone by then gets nothing

stats: requests, statuses and faults by kind; bytes_uploaded (bodies of uploads, as received), bytes_in, bytes_out; early_retries: numbers
of the requests that came again before their Retry-After was over; early_requests: of all that came before any Retry-After was. log: every request with its times.
"""

import argparse
import json
import os
import signal
import ssl
import sys

sys.dont_write_bytecode = True  # the tree of the sources may be read-only

from drive import access  # noqa: E402
from drive.app import App  # noqa: E402
from drive.wire import Listener  # noqa: E402


def options(argv):
    p = argparse.ArgumentParser(usage="see the top of this file", allow_abbrev=False)
    p.add_argument("-state", required=True)
    p.add_argument("-ready", required=True)
    p.add_argument("-listen", default="127.0.0.1:0")
    p.add_argument("-tls", nargs=2)
    p.add_argument("-tunnel", nargs=2)
    p.add_argument("-account", action="append", default=[])
    p.add_argument("-client", nargs=2, action="append", default=[])
    p.add_argument("-fault", action="append", default=[], type=json.loads)
    return p.parse_args(argv)


def context(pair):
    if not pair:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*pair)
    made.set_alpn_protocols(["http/1.1"])
    return made


def populate(app, given):
    for email in given.account:
        access.add_account(app.state, email)
    for client, secret in given.client:
        app.state.clients.put(client, {"id": client, "secret": secret})
    for fault in given.fault:
        app.faults.add(fault)
    app.state.commit()


def appear(path, text):
    """The file appears whole."""
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(text)
    os.rename(path + ".new", path)


def main():
    given = options(sys.argv[1:])
    os.makedirs(given.state, mode=0o700, exist_ok=True)
    app = App(given.state)
    populate(app, given)
    host, _, port = given.listen.rpartition(":")
    listener = Listener(host, int(port), app.serve, context(given.tls), context(given.tunnel))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    appear(given.ready, listener.address() + "\n")
    try:
        listener.forever()
    finally:
        app.log.write()


if __name__ == "__main__":
    main()
