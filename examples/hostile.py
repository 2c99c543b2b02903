# SPDX-License-Identifier: Apache-2.0
"""What an untrusted program might try, and what stopped it."""

import hashlib
import os
import socket
import subprocess
import sys
import threading


def outcome(name, attempt):
    try:
        stopped_by = attempt()
    except Exception as reason:  # every refusal is an outcome to show
        stopped_by = f"{type(reason).__name__}: {reason}"
    print(f"  {name:<34} {stopped_by}", flush=True)


def root(command):
    """Run a command as root inside: the sandbox gives root away freely."""
    done = subprocess.run(["sudo", "-n", "sh", "-c", command],
                          capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).strip().splitlines() or [""]


def read_host_files():
    hosts = [p for p in ("/host", "/mnt/host", "/proc/1/root/var/lib/caponier")
             if os.path.exists(p)]
    return f"found {hosts}" if hosts else \
        "no path of the host exists here: own disk, own kernel"


def read_secrets():
    keys = [k for k in os.environ if "KEY" in k or "TOKEN" in k or "SECRET" in k]
    return f"found {keys}" if keys else "no key or token in the environment"


def reach_network():
    with socket.create_connection(("192.0.2.1", 80), timeout=3):
        return "connected"


def reach_metadata():
    with socket.create_connection(("169.254.169.254", 80), timeout=3):
        return "connected"


def see_devices():
    disks = sorted(d for d in os.listdir("/sys/block") if d.startswith("vd"))
    cards = os.listdir("/sys/bus/pci/devices") \
        if os.path.isdir("/sys/bus/pci/devices") else []
    nics = [n for n in os.listdir("/sys/class/net") if n != "lo"]
    return f"{len(disks)} virtual disks, {len(cards)} PCI devices, " \
           f"network cards: {nics or 'none'}"


def load_module():
    return root("insmod /lib/modules/$(uname -r)/kernel/drivers/net/dummy.ko*"
                " 2>&1; uname -r")[-1] + \
        " is the kernel it can load modules into: its own"


def write_memory():
    return root("dd if=/dev/zero of=/dev/mem bs=1 count=1 seek=1048576 2>&1")[0]


def thread_bomb():
    gate = threading.Event()
    threads = []
    try:
        while len(threads) < 100000:
            thread = threading.Thread(target=gate.wait)
            thread.start()
            threads.append(thread)
        return "no limit"
    except RuntimeError as reason:
        return f"{reason} after {len(threads)}"
    finally:
        gate.set()
        for thread in threads:
            thread.join()


def memory_bomb():
    pid = os.fork()
    if pid == 0:
        hoard = []
        while True:
            hoard.append(bytearray(1 << 20))
    _, status = os.waitpid(pid, 0)
    return f"killed by signal {os.WTERMSIG(status)}; the sandbox lives on"


def nested_virtualisation():
    return "no /dev/kvm" if not os.path.exists("/dev/kvm") else "found /dev/kvm"


def main():
    print("A hostile program at work. Each line: what it tried, "
          "and what came of it.", flush=True)
    outcome("read files of the host", read_host_files)
    outcome("find secrets", read_secrets)
    outcome("open a connection to the internet", reach_network)
    outcome("ask the cloud's metadata service", reach_metadata)
    outcome("look for real hardware", see_devices)
    outcome("load a kernel module, as root", load_module)
    outcome("write physical memory, as root", write_memory)
    outcome("start threads for ever", thread_bomb)
    outcome("eat all memory", memory_bomb)
    outcome("start virtual machines of its own", nested_virtualisation)
    nonce = sys.argv[1] if len(sys.argv) > 1 else "caponier"
    print("And its honest work: sha256 of", repr(nonce), "is",
          hashlib.sha256(nonce.encode()).hexdigest(), flush=True)


if __name__ == "__main__":
    main()
