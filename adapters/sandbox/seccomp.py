"""
The system calls that code of others may make in a container: an allow-list, narrower than Docker's own.

Left out, beside what needs rights that nobody has there: io_uring and asynchronous I/O, tracing and memory of other
processes, keys, performance counters, page faults in user space, handles of files, every 32-bit call, new namespaces, and
sockets of any family but UNIX, IPv4, IPv6 and netlink. Names that a kernel does not know do no harm.
"""

import json

FILES = """
access cachestat chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr
fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr ioctl lchown lgetxattr link linkat listxattr
llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2
pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr
splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes
write writev
"""
MEMORY = """
brk madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall munmap
pkey_alloc pkey_free pkey_mprotect remap_file_pages
"""
PROCESSES = """
arch_prctl capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getegid geteuid getgid
getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get
ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64
process_mrelease rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setpgid setpriority setregid setresgid
setresuid setreuid setrlimit setsid setuid sysinfo tgkill tkill uname vfork wait4 waitid
"""
SIGNALS_AND_TIME = """
alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep pause restart_syscall rt_sigaction
rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo setitimer sigaltstack
signalfd signalfd4 time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
timerfd_settime times
"""
WAITING_AND_TALKING = """
accept accept4 bind connect epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex
futex_requeue futex_wait futex_waitv futex_wake getpeername getrandom getsockname getsockopt inotify_add_watch inotify_init
inotify_init1 inotify_rm_watch listen mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv
msgsnd pipe pipe2 poll ppoll pselect6 recvfrom recvmmsg recvmsg select semctl semget semop semtimedop sendmmsg sendmsg sendto
setsockopt shmat shmctl shmdt shmget shutdown socketpair
"""
SOCKET_FAMILIES = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16}
NEW_NAMESPACES = 0x7E020000
"""The flags of clone that ask for a namespace: none of them may be set."""
NOT_THERE = 38
"""ENOSYS: with it the C library falls back from clone3, whose flags cannot be looked at, to clone."""


def profile() -> str:
    """Return the profile as the JSON text that the engine's API takes."""
    names = " ".join((FILES, MEMORY, PROCESSES, SIGNALS_AND_TIME, WAITING_AND_TALKING)).split()
    allow = "SCMP_ACT_ALLOW"
    no_namespace = {"index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    families = [
        {"names": ["socket"], "action": allow, "args": [{"index": 0, "value": family, "op": "SCMP_CMP_EQ"}]}
        for family in SOCKET_FAMILIES.values()
    ]
    # Without sub-architectures: a 32-bit call is another way in, and nothing here needs it.
    native = [{"architecture": f"SCMP_ARCH_{name}", "subArchitectures": []} for name in ("X86_64", "AARCH64")]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 1,
            "archMap": native,
            "syscalls": [
                {"names": sorted(names), "action": allow},
                {"names": ["clone"], "action": allow, "args": [no_namespace]},
                {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": NOT_THERE},
                *families,
            ],
        }
    )
