/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/syscall_flags.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <asm/prctl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#define N(name) { (uint64_t)(name), #name }
#define NAMES(...) (const struct flag_name[]) { __VA_ARGS__, { 0, NULL } }
#define ONE_OF(...) { ~0ull, NAMES(__VA_ARGS__) }
#define ANY_OF(...) { 0, NAMES(__VA_ARGS__) }
#define ONE_AND_ANY(mask, ...) { mask, NAMES(__VA_ARGS__) }
/* The kernel's own value: the C library's is 0 on 64-bit machines. */
#define KERNEL_O_LARGEFILE 0100000

/* ---- files ---- */

const struct flag_set flags_open =
	ONE_AND_ANY(O_ACCMODE, N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(O_TMPFILE), N(O_SYNC),
		    N(O_CREAT), N(O_EXCL), N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK),
		    N(O_DSYNC), N(O_ASYNC), N(O_DIRECT), { KERNEL_O_LARGEFILE, "O_LARGEFILE" },
		    N(O_DIRECTORY), N(O_NOFOLLOW), N(O_NOATIME), N(O_CLOEXEC), N(O_PATH));
const struct flag_set flags_at =
	ANY_OF(N(AT_SYMLINK_NOFOLLOW), N(AT_EACCESS), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT),
	       N(AT_EMPTY_PATH), N(AT_STATX_FORCE_SYNC), N(AT_STATX_DONT_SYNC), N(AT_RECURSIVE));
const struct flag_set flags_unlink = ANY_OF(N(AT_REMOVEDIR));
const struct flag_set flags_access = ANY_OF(N(F_OK), N(R_OK), N(W_OK), N(X_OK));
const struct flag_set flags_whence =
	ONE_OF(N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE));
const struct flag_set flags_fcntl =
	ONE_OF(N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), N(F_GETLK), N(F_SETLK),
	       N(F_SETLKW), N(F_SETOWN), N(F_GETOWN), N(F_SETSIG), N(F_GETSIG), N(F_SETOWN_EX),
	       N(F_GETOWN_EX), N(F_OFD_GETLK), N(F_OFD_SETLK), N(F_OFD_SETLKW), N(F_SETLEASE),
	       N(F_GETLEASE), N(F_NOTIFY), N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ),
	       N(F_ADD_SEALS), N(F_GET_SEALS));
const struct flag_set flags_ioctl =
	ONE_OF(N(TCGETS), N(TCSETS), N(TCSETSW), N(TCSETSF), N(TIOCGWINSZ), N(TIOCSWINSZ),
	       N(TIOCGPGRP), N(TIOCSPGRP), N(TIOCSCTTY), N(TIOCNOTTY), N(TIOCGPTN), N(TIOCSPTLCK),
	       N(FIONREAD), N(FIONBIO), N(FIOCLEX), N(FIONCLEX), N(FIOASYNC));
const struct flag_set flags_flock =
	ONE_AND_ANY(~(uint64_t)LOCK_NB, N(LOCK_SH), N(LOCK_EX), N(LOCK_UN), N(LOCK_NB));
const struct flag_set flags_allocate = ANY_OF(N(FALLOC_FL_KEEP_SIZE), N(FALLOC_FL_PUNCH_HOLE),
					      { 0x08, "FALLOC_FL_COLLAPSE_RANGE" },
					      { 0x10, "FALLOC_FL_ZERO_RANGE" },
					      { 0x20, "FALLOC_FL_INSERT_RANGE" });
const struct flag_set flags_rename =
	ANY_OF(N(RENAME_NOREPLACE), N(RENAME_EXCHANGE), N(RENAME_WHITEOUT));
const struct flag_set flags_pipe = ANY_OF(N(O_NONBLOCK), N(O_CLOEXEC), N(O_DIRECT));
const struct flag_set flags_splice =
	ANY_OF(N(SPLICE_F_MOVE), N(SPLICE_F_NONBLOCK), N(SPLICE_F_MORE), N(SPLICE_F_GIFT));
const struct flag_set flags_stat_mask = ANY_OF(
	N(STATX_ALL), N(STATX_BASIC_STATS), N(STATX_TYPE), N(STATX_MODE), N(STATX_NLINK),
	N(STATX_UID), N(STATX_GID), N(STATX_ATIME), N(STATX_MTIME), N(STATX_CTIME), N(STATX_INO),
	N(STATX_SIZE), N(STATX_BLOCKS), N(STATX_BTIME), { 0x1000, "STATX_MNT_ID" });
const struct flag_set flags_fadvise = ONE_OF(N(POSIX_FADV_NORMAL), N(POSIX_FADV_RANDOM),
					     N(POSIX_FADV_SEQUENTIAL), N(POSIX_FADV_WILLNEED),
					     N(POSIX_FADV_DONTNEED), N(POSIX_FADV_NOREUSE));
const struct flag_set flags_mount =
	ANY_OF(N(MS_RDONLY), N(MS_NOSUID), N(MS_NODEV), N(MS_NOEXEC), N(MS_SYNCHRONOUS),
	       N(MS_REMOUNT), N(MS_MANDLOCK), N(MS_DIRSYNC), N(MS_NOATIME), N(MS_NODIRATIME),
	       N(MS_BIND), N(MS_MOVE), N(MS_REC), N(MS_SILENT), N(MS_UNBINDABLE), N(MS_PRIVATE),
	       N(MS_SLAVE), N(MS_SHARED), N(MS_RELATIME), N(MS_STRICTATIME), N(MS_LAZYTIME));
const struct flag_set flags_unmount =
	ANY_OF(N(MNT_FORCE), N(MNT_DETACH), N(MNT_EXPIRE), N(UMOUNT_NOFOLLOW));
const struct flag_set flags_inotify = ANY_OF(N(IN_NONBLOCK), N(IN_CLOEXEC));

/* ---- memory ---- */

const struct flag_set flags_protection =
	ANY_OF(N(PROT_NONE), N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN),
	       N(PROT_GROWSUP));
const struct flag_set flags_mapping = ONE_AND_ANY(
	MAP_TYPE, N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_SHARED_VALIDATE), N(MAP_FIXED),
	N(MAP_ANONYMOUS), N(MAP_32BIT), N(MAP_GROWSDOWN), N(MAP_DENYWRITE), N(MAP_EXECUTABLE),
	N(MAP_LOCKED), N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK),
	N(MAP_HUGETLB), N(MAP_SYNC), N(MAP_FIXED_NOREPLACE));
const struct flag_set flags_remap =
	ANY_OF(N(MREMAP_MAYMOVE), N(MREMAP_FIXED), N(MREMAP_DONTUNMAP));
const struct flag_set flags_sync_mapping = ANY_OF(N(MS_ASYNC), N(MS_INVALIDATE), N(MS_SYNC));
const struct flag_set flags_advice = ONE_OF(
	N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED),
	N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK), N(MADV_DOFORK), N(MADV_MERGEABLE),
	N(MADV_UNMERGEABLE), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP),
	N(MADV_DODUMP), N(MADV_WIPEONFORK), N(MADV_KEEPONFORK), N(MADV_COLD), N(MADV_PAGEOUT),
	N(MADV_HWPOISON), { 22, "MADV_POPULATE_READ" }, { 23, "MADV_POPULATE_WRITE" },
	{ 24, "MADV_DONTNEED_LOCKED" }, { 25, "MADV_COLLAPSE" });
const struct flag_set flags_memfd =
	ANY_OF(N(MFD_CLOEXEC), N(MFD_ALLOW_SEALING), N(MFD_HUGETLB), { 8, "MFD_NOEXEC_SEAL" },
	       { 16, "MFD_EXEC" });

/* ---- network ---- */

const struct flag_set flags_family =
	ONE_OF(N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK), N(AF_PACKET),
	       N(AF_ALG), N(AF_VSOCK), N(AF_XDP), N(AF_BLUETOOTH), N(AF_CAN), N(AF_KEY));
const struct flag_set flags_socket =
	ONE_AND_ANY(0xf, N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM),
		    N(SOCK_SEQPACKET), N(SOCK_DCCP), N(SOCK_PACKET), N(SOCK_CLOEXEC),
		    N(SOCK_NONBLOCK));
const struct flag_set flags_accept = ANY_OF(N(SOCK_CLOEXEC), N(SOCK_NONBLOCK));
const struct flag_set flags_message = ANY_OF(
	N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_TRUNC), N(MSG_DONTWAIT),
	N(MSG_EOR), N(MSG_WAITALL), N(MSG_CONFIRM), N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE),
	N(MSG_WAITFORONE), N(MSG_ZEROCOPY), N(MSG_FASTOPEN), N(MSG_CMSG_CLOEXEC));
const struct flag_set flags_socket_level =
	ONE_OF(N(SOL_SOCKET), { 0, "SOL_IP" }, { 6, "SOL_TCP" }, { 17, "SOL_UDP" },
	       { 41, "SOL_IPV6" }, { 263, "SOL_PACKET" }, { 270, "SOL_NETLINK" });
const struct flag_set flags_shutdown = ONE_OF(N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR));

/* ---- tasks, time and waiting ---- */

const struct flag_set flags_mask_how = ONE_OF(N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK));
const struct flag_set flags_clock =
	ONE_OF(N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID),
	       N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE),
	       N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME), N(CLOCK_REALTIME_ALARM),
	       N(CLOCK_BOOTTIME_ALARM), N(CLOCK_TAI));
const struct flag_set flags_timer = ANY_OF(N(TIMER_ABSTIME));
const struct flag_set flags_timerfd = ANY_OF(N(TFD_CLOEXEC), N(TFD_NONBLOCK));
const struct flag_set flags_futex = ONE_AND_ANY(
	FUTEX_CMD_MASK, N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE),
	N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI), N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI),
	N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI),
	N(FUTEX_CMP_REQUEUE_PI), N(FUTEX_PRIVATE_FLAG), N(FUTEX_CLOCK_REALTIME));
/* Above the number of a signal. */
const struct flag_set flags_clone = ANY_OF(
	N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND), N(CLONE_PIDFD),
	N(CLONE_PTRACE), N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD), N(CLONE_NEWNS),
	N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID), N(CLONE_CHILD_CLEARTID),
	N(CLONE_DETACHED), N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID), N(CLONE_NEWCGROUP),
	N(CLONE_NEWUTS), N(CLONE_NEWIPC), N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET),
	N(CLONE_IO));
const struct flag_set flags_wait = ANY_OF(N(WNOHANG), N(WUNTRACED), N(WEXITED), N(WCONTINUED),
					  N(WNOWAIT), { 0x20000000, "__WNOTHREAD" },
					  { 0x40000000, "__WALL" }, { 0x80000000, "__WCLONE" });
const struct flag_set flags_wait_kind = ONE_OF(N(P_ALL), N(P_PID), N(P_PGID), { 3, "P_PIDFD" });
const struct flag_set flags_epoll_op =
	ONE_OF(N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD));
const struct flag_set flags_epoll_create = ANY_OF(N(EPOLL_CLOEXEC));
const struct flag_set flags_eventfd =
	ANY_OF(N(EFD_CLOEXEC), N(EFD_NONBLOCK), N(EFD_SEMAPHORE));
const struct flag_set flags_random = ANY_OF(N(GRND_NONBLOCK), N(GRND_RANDOM), N(GRND_INSECURE));
const struct flag_set flags_policy =
	ONE_AND_ANY(~0x40000000ull, N(SCHED_OTHER), N(SCHED_FIFO), N(SCHED_RR), N(SCHED_BATCH),
		    N(SCHED_IDLE), N(SCHED_DEADLINE), N(SCHED_RESET_ON_FORK));
const struct flag_set flags_priority = ONE_OF(N(PRIO_PROCESS), N(PRIO_PGRP), N(PRIO_USER));
const struct flag_set flags_resource =
	ONE_OF(N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA), N(RLIMIT_STACK), N(RLIMIT_CORE),
	       N(RLIMIT_RSS), N(RLIMIT_NPROC), N(RLIMIT_NOFILE), N(RLIMIT_MEMLOCK), N(RLIMIT_AS),
	       N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING), N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE),
	       N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME));
const struct flag_set flags_usage = ONE_OF(N(RUSAGE_SELF), N(RUSAGE_CHILDREN), N(RUSAGE_THREAD));
const struct flag_set flags_membarrier =
	ONE_OF(N(MEMBARRIER_CMD_QUERY), N(MEMBARRIER_CMD_GLOBAL),
	       N(MEMBARRIER_CMD_GLOBAL_EXPEDITED), N(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED),
	       N(MEMBARRIER_CMD_PRIVATE_EXPEDITED), N(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));

/* ---- the machine ---- */

const struct flag_set flags_prctl = ONE_OF(
	N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE), N(PR_SET_DUMPABLE),
	N(PR_GET_KEEPCAPS), N(PR_SET_KEEPCAPS), N(PR_SET_NAME), N(PR_GET_NAME),
	N(PR_GET_SECCOMP), N(PR_SET_SECCOMP), N(PR_CAPBSET_READ), N(PR_CAPBSET_DROP),
	N(PR_SET_SECUREBITS), N(PR_GET_SECUREBITS), N(PR_SET_TIMERSLACK), N(PR_GET_TIMERSLACK),
	N(PR_SET_MM), N(PR_SET_CHILD_SUBREAPER), N(PR_GET_CHILD_SUBREAPER),
	N(PR_SET_NO_NEW_PRIVS), N(PR_GET_NO_NEW_PRIVS), N(PR_SET_THP_DISABLE), N(PR_CAP_AMBIENT),
	N(PR_SET_PTRACER), { 0x53564d41, "PR_SET_VMA" });
const struct flag_set flags_arch =
	ONE_OF(N(ARCH_SET_GS), N(ARCH_SET_FS), N(ARCH_GET_FS), N(ARCH_GET_GS), N(ARCH_GET_CPUID),
	       N(ARCH_SET_CPUID));
const struct flag_set flags_ptrace = ONE_OF(
	N(PTRACE_TRACEME), N(PTRACE_PEEKTEXT), N(PTRACE_PEEKDATA), N(PTRACE_PEEKUSER),
	N(PTRACE_POKETEXT), N(PTRACE_POKEDATA), N(PTRACE_POKEUSER), N(PTRACE_CONT),
	N(PTRACE_KILL), N(PTRACE_SINGLESTEP), N(PTRACE_GETREGS), N(PTRACE_SETREGS),
	N(PTRACE_ATTACH), N(PTRACE_DETACH), N(PTRACE_SYSCALL), N(PTRACE_SETOPTIONS),
	N(PTRACE_GETEVENTMSG), N(PTRACE_GETSIGINFO), N(PTRACE_GETREGSET), N(PTRACE_SETREGSET),
	N(PTRACE_SEIZE), N(PTRACE_INTERRUPT), N(PTRACE_LISTEN), N(PTRACE_GET_SYSCALL_INFO));
const struct flag_set flags_bpf = ONE_OF(
	N(BPF_MAP_CREATE), N(BPF_MAP_LOOKUP_ELEM), N(BPF_MAP_UPDATE_ELEM), N(BPF_MAP_DELETE_ELEM),
	N(BPF_MAP_GET_NEXT_KEY), N(BPF_PROG_LOAD), N(BPF_OBJ_PIN), N(BPF_OBJ_GET),
	N(BPF_PROG_ATTACH), N(BPF_PROG_DETACH), N(BPF_PROG_TEST_RUN), N(BPF_PROG_GET_NEXT_ID),
	N(BPF_MAP_GET_NEXT_ID), N(BPF_PROG_GET_FD_BY_ID), N(BPF_MAP_GET_FD_BY_ID),
	N(BPF_OBJ_GET_INFO_BY_FD), N(BPF_PROG_QUERY), N(BPF_RAW_TRACEPOINT_OPEN), N(BPF_BTF_LOAD),
	N(BPF_BTF_GET_FD_BY_ID), N(BPF_TASK_FD_QUERY), N(BPF_MAP_LOOKUP_AND_DELETE_ELEM),
	N(BPF_MAP_FREEZE), N(BPF_BTF_GET_NEXT_ID), N(BPF_MAP_LOOKUP_BATCH),
	N(BPF_MAP_LOOKUP_AND_DELETE_BATCH), N(BPF_MAP_UPDATE_BATCH), N(BPF_MAP_DELETE_BATCH),
	N(BPF_LINK_CREATE), N(BPF_LINK_UPDATE), N(BPF_LINK_GET_FD_BY_ID),
	N(BPF_LINK_GET_NEXT_ID), N(BPF_ENABLE_STATS), N(BPF_ITER_CREATE), N(BPF_LINK_DETACH),
	N(BPF_PROG_BIND_MAP));
