"""An SMTP server (aiosmtpd) that keeps what it is given, one file a mail, and answers as it is told.

The file `answers` in its folder holds one line for each mail to come, such as `451 later`; where it is empty, the answer is 250.
"""

import argparse
import asyncio
import pathlib
import signal
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Keeper:
    def __init__(self, folder, delay):
        self.folder, self.delay, self.count = folder, delay, 0

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.delay)
        answers = self.folder / "answers"
        lines = answers.read_text().splitlines() if answers.exists() else []
        if lines:
            answers.write_text("".join(line + "\n" for line in lines[1:]))
            if not lines[0].startswith("2"):
                return lines[0]
        self.count += 1
        draft = self.folder / "draft"
        head = f"X-Rcpt: {','.join(envelope.rcpt_tos)}\r\n".encode()
        draft.write_bytes(head + envelope.content)
        draft.rename(self.folder / f"{self.count:06}.eml")
        return "250 taken"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    args = parser.parse_args()

    def authenticator(server, session, envelope, mechanism, data):
        login = (args.user.encode(), args.password.encode())
        return AuthResult(success=(data.login, data.password) == login)

    context = None
    if args.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.certificate, args.key)
    controller = Controller(
        Keeper(args.folder, args.delay),
        hostname="127.0.0.1",
        port=args.port,
        ssl_context=context,
        authenticator=authenticator if args.user else None,
        auth_required=bool(args.user),
        auth_require_tls=False,
    )
    controller.start()
    # A shell starts what is in its background deaf to interrupts, and a Python started so would stay so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.new_event_loop().run_forever()


main()
