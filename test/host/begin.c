// SPDX-License-Identifier: Apache-2.0
// What runs in the agent's place where a guest plays the host: it hands
// caponier-init's finished root over to the script on the second disk.

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Told to caponier-init: there is nothing to start again (src/domain/guest.h).
 */
enum { POWER_OFF = 64 };

#define PLACE "/host"

int main(void)
{
	char *const argv[] = { "sh", PLACE "/test/host/inside.sh", NULL };
	char *const envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/",
			       NULL };
	int points = open("/dev/hvc1", O_WRONLY | O_NOCTTY);

	if (points < 0 || dup2(points, STDOUT_FILENO) < 0)
		return POWER_OFF;
	(void)mkdir(PLACE, 0755);
	if (mount("/dev/vdc", PLACE, "ext4", MS_RDONLY, NULL) < 0) {
		perror("nested: cannot mount the second disk");
		return POWER_OFF;
	}
	(void)execve("/bin/sh", argv, envp);
	perror("nested: cannot start the script");
	return POWER_OFF;
}
