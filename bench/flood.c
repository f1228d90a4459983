/* A guest's UDP, as fast as is asked, by frames that come in at its tap: bench/packets.py compiles it.
 *
 *   flood TAP GUEST-MAC TAP-MAC SOURCE PORT TARGET PORT SECONDS RATE NEW
 *
 * RATE 0: as fast as they go. NEW 1: each from the next of 60,000 ports. The kernel makes the frames (it calls them live
 * frames of a BPF test run, Linux 5.18) and takes each in as if the tap's driver had just received it, so that no
 * sender's own work limits the rate. A program of ours lets a frame through when it is due, until the time is over.
 * Prints COUNT, SECONDS and PROCESSOR: how many, how long it really took, and how much of that this process had a
 * processor, for all that became of its packets as far as the other guest's door.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 18, FRAME = 42 + PAYLOAD, HEADERS = 44, FIRST_PORT = 2000, PORTS = 60000, BATCH = 64 };

static unsigned char packet[FRAME];
static struct bpf_insn program[64];
static int length;

struct tally {
    uint64_t sent, began;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double at(clockid_t clock) {
    struct timespec found;
    clock_gettime(clock, &found);
    return found.tv_sec + found.tv_nsec / 1e9;
}

static long bpf(int command, union bpf_attr *asked) {
    return syscall(SYS_bpf, command, asked, sizeof *asked);
}

static void add(int code, int to, int from, int offset, int value) {
    program[length++] = (struct bpf_insn){code, to, from, offset, value};
}

static void mac(unsigned char *to, const char *text) {
    if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5) != 6)
        fail(text);
}

/* A whole frame; its UDP checksum may be 0. */
static void make(char **given) {
    unsigned char *ip = packet + 14;
    uint16_t from = htons(atoi(given[4])), to = htons(atoi(given[6]));
    mac(packet, given[2]);
    mac(packet + 6, given[1]);
    packet[12] = 8;
    ip[0] = 0x45, ip[3] = 28 + PAYLOAD, ip[8] = 64, ip[9] = IPPROTO_UDP, ip[25] = 8 + PAYLOAD;
    if (inet_pton(AF_INET, given[3], ip + 12) != 1 || inet_pton(AF_INET, given[5], ip + 16) != 1)
        fail("address");
    memcpy(ip + 20, &from, 2);
    memcpy(ip + 22, &to, 2);
    uint32_t sum = 0;
    for (int byte = 0; byte < 20; byte += 2)
        sum += ip[byte] << 8 | ip[byte + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    ip[10] = sum >> 8, ip[11] = sum;
}

static int tally(void) {
    union bpf_attr asked = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct tally), .max_entries = 1};
    int found = bpf(BPF_MAP_CREATE, &asked);
    if (found < 0)
        fail("a BPF map");
    return found;
}

static void drop_unless(int how, int one, int other) {
    add(BPF_JMP | how, one, other, 2, 0);
    add(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_DROP);
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* In r7 the tally, in r8 how many have been sent; `interval` is in nanoseconds. */
static void when_due(int map, int interval) {
    add(BPF_ST | BPF_W | BPF_MEM, 10, 0, -4, 0);
    add(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
    add(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4);
    add(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map);
    add(0, 0, 0, 0, 0);
    add(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
    drop_unless(BPF_JNE | BPF_K, 0, 0);
    add(BPF_ALU64 | BPF_MOV | BPF_X, 7, 0, 0, 0);
    add(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns);
    add(BPF_LDX | BPF_DW | BPF_MEM, 1, 7, offsetof(struct tally, began), 0);
    add(BPF_JMP | BPF_JNE | BPF_K, 1, 0, 2, 0);
    add(BPF_STX | BPF_DW | BPF_MEM, 7, 0, offsetof(struct tally, began), 0);
    add(BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0);
    add(BPF_ALU64 | BPF_SUB | BPF_X, 0, 1, 0, 0);
    add(BPF_LDX | BPF_DW | BPF_MEM, 8, 7, offsetof(struct tally, sent), 0);
    add(BPF_ALU64 | BPF_MOV | BPF_X, 1, 8, 0, 0);
    add(BPF_ALU64 | BPF_MUL | BPF_K, 1, 0, 0, interval);
    drop_unless(BPF_JGE | BPF_X, 0, 1);
}

/* The kernel uses its frames again as forwarding has left them: each gets all its headers anew. */
static int loaded(int map, int interval, int fresh) {
    add(BPF_ALU64 | BPF_MOV | BPF_X, 9, 1, 0, 0);
    when_due(map, interval);
    add(BPF_LDX | BPF_W | BPF_MEM, 6, 9, offsetof(struct xdp_md, data), 0);
    add(BPF_LDX | BPF_W | BPF_MEM, 3, 9, offsetof(struct xdp_md, data_end), 0);
    add(BPF_ALU64 | BPF_MOV | BPF_X, 4, 6, 0, 0);
    add(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, FRAME);
    drop_unless(BPF_JGE | BPF_X, 3, 4);
    for (int byte = 0; byte < HEADERS; byte += 4) {
        int32_t word;
        memcpy(&word, packet + byte, 4);
        add(BPF_ST | BPF_W | BPF_MEM, 6, 0, byte, word);
    }
    add(BPF_ALU64 | BPF_MOV | BPF_X, 1, 8, 0, 0);
    add(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 1);
    add(BPF_STX | BPF_DW | BPF_MEM, 7, 1, offsetof(struct tally, sent), 0);
    if (fresh) {
        add(BPF_ALU64 | BPF_MOD | BPF_K, 1, 0, 0, PORTS);
        add(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, FIRST_PORT);
        add(BPF_ALU | BPF_END | BPF_TO_BE, 1, 0, 0, 16);
        add(BPF_STX | BPF_H | BPF_MEM, 6, 1, 34, 0);
    }
    add(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS);
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    union bpf_attr asked = {.prog_type = BPF_PROG_TYPE_XDP,
                            .insns = (uintptr_t)program,
                            .insn_cnt = length,
                            .license = (uintptr_t) "GPL"};
    int found = bpf(BPF_PROG_LOAD, &asked);
    if (found < 0)
        fail("a BPF program");
    return found;
}

static long sent(int map) {
    struct tally found;
    uint32_t key = 0;
    union bpf_attr asked = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&found};
    if (bpf(BPF_MAP_LOOKUP_ELEM, &asked))
        fail("how many");
    return found.sent;
}

static void over(int number) { (void)number; }

/* The run ends by a signal. It is one: what begins and ends it takes the kernel tens of milliseconds. */
static void run(int made, struct xdp_md *context, double seconds) {
    union bpf_attr asked = {0};
    asked.test.prog_fd = made;
    asked.test.data_in = (uintptr_t)packet;
    asked.test.data_size_in = FRAME;
    asked.test.ctx_in = (uintptr_t)context;
    asked.test.ctx_size_in = sizeof *context;
    asked.test.repeat = UINT32_MAX;
    asked.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    asked.test.batch_size = BATCH;
    struct itimerval timer = {.it_value = {(long)seconds, (long)(seconds * 1e6) % 1000000}};
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = over}, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    if (bpf(BPF_PROG_TEST_RUN, &asked) && errno != EINTR)
        fail("live frames");
}

int main(int count, char **given) {
    if (count != 11)
        return 2;
    given++;
    make(given);
    double rate = atof(given[8]);
    struct xdp_md context = {.data_end = FRAME, .ingress_ifindex = if_nametoindex(given[0])};
    int map = tally(), made = loaded(map, rate ? 1e9 / rate : 0, atoi(given[9]));
    double began = at(CLOCK_MONOTONIC);
    run(made, &context, atof(given[7]));
    printf("%ld %.6f %.6f\n", sent(map), at(CLOCK_MONOTONIC) - began, at(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
