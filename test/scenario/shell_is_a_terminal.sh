#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `caponier shell` gives a terminal with keys, size and resize.
# timeout: 120
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template
plan 6

cat >"$TAP_DIR/drive.py" <<'PY'
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "shell", "--quiet"])
seen = b""

def size(rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

def until(pattern, seconds=60):
    """Wait for what the shell prints, not for a time."""
    global seen
    end = time.monotonic() + seconds
    while not re.search(pattern, seen):
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            print("missing", pattern, seen[-500:])
            return False
        try:
            seen += os.read(fd, 65536)
        except OSError:
            return bool(re.search(pattern, seen))
    seen = seen[re.search(pattern, seen).end():]
    return True

def say(text):
    os.write(fd, text.encode())

size(40, 100)
print("prompt", until(rb"[$#] "))
say("test -t 0 && test -t 1 && echo t''ty\r")
print("tty", until(rb"tty"))
say("stty size\r")
first = until(rb"\d+ \d+\r")
size(50, 132)
os.kill(pid, signal.SIGWINCH)
say("for i in $(seq 100); do s=$(stty size); [ \"$s\" = '50 132' ] && break;"
    " sleep 0.1; done; echo size=$s\r")
print("resize", until(rb"size=50 132"))
say("sleep 600\r")
until(rb"sleep 600")
time.sleep(0.5)  # the shell has to have started it before it can be stopped
say("\x03")
say("echo al''ive\r")
print("interrupt", until(rb"alive"))
say("exit 9\r")
_, status = os.waitpid(pid, 0)
print("status", os.waitstatus_to_exitcode(status))
PY
python3 "$TAP_DIR/drive.py" "$CAPONIER" >"$TAP_DIR/out" 2>&1
like "$(cat "$TAP_DIR/out")" '^prompt True' "a prompt comes"
like "$(cat "$TAP_DIR/out")" '^tty True' "standard input and output are a terminal"
like "$(cat "$TAP_DIR/out")" '^resize True' "a new size of the window arrives"
like "$(cat "$TAP_DIR/out")" '^interrupt True' "control-C interrupts what runs"
like "$(cat "$TAP_DIR/out")" '^status 9' "the shell's exit status passes"
ok "nothing is left" wait_for 5 nothing_left
