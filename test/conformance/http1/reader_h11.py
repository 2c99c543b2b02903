# SPDX-License-Identifier: Apache-2.0
"""Python's h11 reads the cases that reader.c reads, and says the same."""

import json
import sys

import h11


def read_case(data):
    connection = h11.Connection(h11.SERVER)
    messages, verdict, now = [], "open", None
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                verdict = "waiting" if now or connection.trailing_data[0] else "open"
                break
            if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                verdict = "closed"
                break
            if isinstance(event, h11.Request):
                now = {
                    "method": event.method.hex(),
                    "target": event.target.hex(),
                    "headers": [
                        {"name": name.hex(), "value": value.hex()}
                        for name, value in event.headers.raw_items()
                    ],
                    "body": "",
                }
            elif isinstance(event, h11.Data):
                now["body"] += bytes(event.data).hex()
            elif isinstance(event, h11.EndOfMessage):
                messages.append(now)
                now = None
                reply = [("Content-Length", "0")]
                connection.send(h11.Response(status_code=404, headers=reply))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    verdict = "closed"
                    break
                connection.start_next_cycle()
    except h11.RemoteProtocolError:
        verdict = "refused"
    return {"messages": messages, "verdict": verdict}


def main():
    stream = sys.stdin.buffer
    while size := stream.read(4):
        print(json.dumps(read_case(stream.read(int.from_bytes(size, "big")))))


main()
