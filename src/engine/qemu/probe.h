/* SPDX-License-Identifier: Apache-2.0 */
/* What the qemu engine can do on this host, found out by running it. */
#ifndef CPN_ENGINE_QEMU_PROBE_H
#define CPN_ENGINE_QEMU_PROBE_H

#include "domain/home.h"
#include "engine/choose.h"

/**
 * qemu_probe_kvm() - whether a stock kernel runs on this host's KVM
 * @ret: every text and is_working are filled in
 *
 * Runs a virtual CPU. Where /dev/kvm is no hardware virtualisation a stock
 * kernel's code goes through an instruction emulator that lacks what it
 * needs: such a KVM counts as not working.
 * Context: blocks for milliseconds.
 */
void qemu_probe_kvm(const struct home *home, struct probe *ret);

/**
 * qemu_probe_tcg() - whether QEMU can emulate a machine here
 * @ret: as for qemu_probe_kvm()
 * Context: blocks briefly.
 */
void qemu_probe_tcg(const struct home *home, struct probe *ret);

#endif
