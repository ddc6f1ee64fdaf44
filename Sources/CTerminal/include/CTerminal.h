#pragma once
#include <stdint.h>
#include <sys/types.h>

/* System calls that Swift cannot make safely or does not see. Every function returns a negative errno on failure. */

/* Where a program is started, when not where its parent is. */
struct kiln_surroundings {
    /* Path of the network namespace to enter. */
    const char *network;
    /* File bound over /etc/resolv.conf in a mount namespace of the program's own. */
    const char *resolver;
    /* Working directory. */
    const char *directory;
};

/* Starts `path` in a session of its own with standard input, output and error from `descriptors` and none other open.
 * `surroundings` may be NULL. Returns the process id and stores a pidfd. */
pid_t kiln_spawn(const char *path, char *const arguments[], char *const environment[], const int descriptors[3],
                 const struct kiln_surroundings *surroundings, int *pidfd);

int kiln_pidfd_open(pid_t process);
int kiln_pidfd_signal(int pidfd, int signal);
/* 1 and its status (128 + N when ended by signal N) when the child has ended, which reaps it; 0 while it runs. */
int kiln_pidfd_reap(int pidfd, int *status);

/* The next descriptor sent over a socket (SCM_RIGHTS). */
int kiln_receive_descriptor(int socket);
/* The process that listens at the other end of a connected unix socket. */
int kiln_peer_process(int socket);

/* Opens a pipe (read end, write end) of generous size. */
int kiln_pipe(int ends[2]);
/* Opens a pseudo-terminal of a size: its master, and the end a program gets. */
int kiln_open_terminal(unsigned short columns, unsigned short rows, int ends[2]);
/* The hard limits of this process, unlimited as UINT64_MAX. */
uint64_t kiln_open_files_limit(void);
uint64_t kiln_processes_limit(void);
int kiln_set_nonblocking(int descriptor);
/* Bytes that can be read without waiting. */
int kiln_readable_bytes(int descriptor);
int kiln_set_terminal_size(int descriptor, unsigned short columns, unsigned short rows);

int kiln_epoll_create(void);
int kiln_epoll_add(int epoll, int descriptor);
int kiln_epoll_remove(int epoll, int descriptor);
/* Stores up to `count` descriptors that can be read or have ended, without waiting, and returns how many. */
int kiln_epoll_ready(int epoll, int *descriptors, int count);

/* Mounts, read-only, the sysfs of the network namespace at `network` on the folder `target`; on a thread of its own. */
int kiln_mount_sysfs(const char *network, const char *target);
/* Mounts the folder or file `source`, itself no symlink, on `target`: nosuid, nodev, and read-only or noexec as asked, from its first moment. */
int kiln_mount_bind(const char *source, const char *target, int read_only, int no_exec);
/* Mounts the cgroup v1 hierarchy that `options` name, a controller for one, on `target`. */
int kiln_mount_cgroup(const char *options, const char *target);
/* Unmounts `target`, at once for new users and for others when they are done. */
int kiln_unmount(const char *target);
/* 1 when the file system at `path` is cgroup v2, 2 when it is a tmpfs, 0 when another. */
int kiln_file_system_kind(const char *path);
