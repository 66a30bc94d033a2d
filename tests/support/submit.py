"""Hands letters to a relay on 127.0.0.1 with STARTTLS and login, as a second, independent client.

Reads one JSON object (port, ca_file, username, password, letters: [{sender, recipients, message}]) from stdin and
prints {"login": REPLY, "letters": [REPLY, ...]}, where REPLY is {"code": ..., "text": ...}.
"""

import json
import smtplib
import ssl
import sys


def reply(code, text):
    return {"code": code, "text": text.decode("utf-8", "replace") if isinstance(text, bytes) else text}


def send(session, letter):
    try:
        refused = session.sendmail(letter["sender"], letter["recipients"], letter["message"].encode())
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPResponseException as error:
        return reply(error.smtp_code, error.smtp_error)
    return reply(*next(iter(refused.values()), (250, "")))


def submit(order):
    with smtplib.SMTP("127.0.0.1", order["port"], "client.example", timeout=60) as session:
        session.starttls(context=ssl.create_default_context(cafile=order["ca_file"]))
        try:
            login = reply(*session.login(order["username"], order["password"]))
        except smtplib.SMTPAuthenticationError as error:
            return {"login": reply(error.smtp_code, error.smtp_error), "letters": []}
        return {"login": login, "letters": [send(session, letter) for letter in order["letters"]]}


json.dump(submit(json.load(sys.stdin)), sys.stdout)
