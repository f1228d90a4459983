/* What a connection, a megabyte or a packet of an established flow costs under several rulesets; bench/turns.py compiles
 * and runs it.
 *
 *   turns connect|bulk|ask SECONDS TARGET PORT (CLIENT SERVER)…
 *   turns packet SECONDS SOURCE PORT TARGET PORT (CLIENT MAC)…
 *
 * CLIENT and SERVER are network namespaces. One pair after the other has a turn of a few milliseconds, again and again:
 * what else the machine does meets them all alike. One process is both ends of a connection, so nobody waits to be
 * woken, and all that the kernel does for it is charged to it; with `ask` a server is a process of its own, on the same
 * processor. Prints a line for each round: for each pair, the microseconds for one connection, megabyte or packet, of a
 * processor, or by the clock with `ask`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 16, CONNECTIONS = 16, BATCH = 32, BATCHES = 8, HEADERS = 42, PAYLOAD = 18, CHUNK = 1 << 16 };
enum { MEGABYTES = 4 };

static struct sockaddr_in target, source;
static int clients[PAIRS], doors[PAIRS], ends[PAIRS];
static unsigned char frames[PAIRS][HEADERS + PAYLOAD];
static struct sockaddr_ll cards[PAIRS];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double at(clockid_t clock) {
    struct timespec found;
    clock_gettime(clock, &found);
    return found.tv_sec + found.tv_nsec / 1e9;
}

static int place(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", name);
    int found = open(path, O_RDONLY | O_CLOEXEC);
    if (found < 0)
        fail(path);
    return found;
}

static void enter(int space) {
    if (setns(space, CLONE_NEWNET))
        fail("setns");
}

static struct sockaddr_in address(const char *text, const char *port) {
    struct sockaddr_in found = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    if (inet_pton(AF_INET, text, &found.sin_addr) != 1)
        fail(text);
    return found;
}

static void listen_in(int pair, const char *space) {
    int one = 1, door;
    enter(place(space));
    door = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = target.sin_port};
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (void *)&here, sizeof here) || listen(door, 512))
        fail("listen");
    doors[pair] = door;
}

/* Reset at the end, so that no port waits. */
static int connected(void) {
    struct linger reset = {1, 0};
    int one = 1, end = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(end, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(end, (void *)&target, sizeof target))
        fail("connect");
    return end;
}

static void connection(int door) {
    int end = connected(), other = accept(door, 0, 0);
    char byte = 'x';
    if (send(end, &byte, 1, 0) != 1 || recv(other, &byte, 1, 0) != 1)
        fail("question");
    if (send(other, &byte, 1, 0) != 1 || recv(end, &byte, 1, 0) != 1)
        fail("answer");
    close(end);
    close(other);
}

static void ask(void) {
    int end = connected();
    char byte = 'x';
    if (send(end, &byte, 1, 0) != 1 || recv(end, &byte, 1, 0) != 1)
        fail("answer");
    close(end);
}

static void answer(int door) {
    for (;;) {
        int end = accept(door, 0, 0);
        char byte;
        if (recv(end, &byte, 1, 0) == 1)
            send(end, &byte, 1, MSG_NOSIGNAL);
        recv(end, &byte, 1, 0);
        close(end);
    }
}

/* Until its parent ends. */
static void serve(int door) {
    if (fork())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    answer(door);
}

static void connect_for_good(int pair) {
    clients[pair] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(clients[pair], (void *)&target, sizeof target))
        fail("connect");
    ends[pair] = accept(doors[pair], 0, 0);
}

/* As much as the kernel takes, then as much as has come. */
static void bulk(int pair) {
    static char chunk[CHUNK];
    long sent = 0, got = 0;
    while (got < MEGABYTES << 20) {
        ssize_t went;
        while (sent < MEGABYTES << 20 && (went = send(clients[pair], chunk, CHUNK, MSG_DONTWAIT)) > 0)
            sent += went;
        while ((went = recv(ends[pair], chunk, CHUNK, MSG_DONTWAIT)) > 0)
            got += went;
    }
}

/* A whole frame, past the sender's own IP; its UDP checksum may be 0. */
static void prepare(int pair, const char *mac) {
    unsigned char *to = frames[pair], *ip = to + 14;
    struct ifreq asked = {.ifr_name = "eth0"};
    clients[pair] = socket(AF_PACKET, SOCK_RAW, 0);
    if (ioctl(clients[pair], SIOCGIFHWADDR, &asked))
        fail("eth0");
    if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5) != 6)
        fail(mac);
    memcpy(to + 6, asked.ifr_hwaddr.sa_data, 6);
    to[12] = 8;
    ip[0] = 0x45, ip[3] = 28 + PAYLOAD, ip[8] = 64, ip[9] = IPPROTO_UDP, ip[25] = 8 + PAYLOAD;
    memcpy(ip + 12, &source.sin_addr, 4);
    memcpy(ip + 16, &target.sin_addr, 4);
    memcpy(ip + 20, &source.sin_port, 2);
    memcpy(ip + 22, &target.sin_port, 2);
    uint32_t sum = 0;
    for (int byte = 0; byte < 20; byte += 2)
        sum += ip[byte] << 8 | ip[byte + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    ip[10] = sum >> 8, ip[11] = sum;
    cards[pair] = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("eth0"), .sll_halen = 6};
}

static void packets(int pair) {
    struct iovec part = {frames[pair], sizeof frames[pair]};
    struct mmsghdr batch[BATCH];
    for (int number = 0; number < BATCH; number++)
        batch[number] = (struct mmsghdr){{&cards[pair], sizeof cards[pair], &part, 1, 0, 0, 0}, 0};
    for (int number = 0; number < BATCHES; number++)
        if (sendmmsg(clients[pair], batch, BATCH, 0) != BATCH)
            fail("sendmmsg");
}

static int by_the_clock(const char *kind) {
    return !strcmp(kind, "ask");
}

static void prepared(const char *kind, int pair, int space, char **names) {
    if (strcmp(kind, "packet"))
        listen_in(pair, names[1]);
    if (by_the_clock(kind))
        serve(doors[pair]);
    enter(space);
    if (!strcmp(kind, "packet"))
        prepare(pair, names[1]);
    if (!strcmp(kind, "bulk"))
        connect_for_good(pair);
}

/* How many connections, megabytes or packets. */
static int turn(const char *kind, int pair) {
    if (!strcmp(kind, "packet"))
        return packets(pair), BATCH * BATCHES;
    if (!strcmp(kind, "bulk"))
        return bulk(pair), MEGABYTES;
    for (int number = 0; number < CONNECTIONS; number++)
        if (!strcmp(kind, "ask"))
            ask();
        else
            connection(doors[pair]);
    return CONNECTIONS;
}

int main(int count, char **given) {
    int first = count > 1 && !strcmp(given[1], "packet") ? 7 : 5, pairs = (count - first) / 2, spaces[PAIRS];
    if (pairs < 1 || pairs > PAIRS)
        return 2;
    source = address(given[3], given[4]);
    target = address(given[first - 2], given[first - 1]);
    for (int pair = 0; pair < pairs; pair++) {
        spaces[pair] = place(given[first + 2 * pair]);
        prepared(given[1], pair, spaces[pair], given + first + 2 * pair);
    }
    clockid_t clock = by_the_clock(given[1]) ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
    double until = at(CLOCK_MONOTONIC) + atof(given[2]);
    for (int round = 0; at(CLOCK_MONOTONIC) < until; round++) {
        double spent[PAIRS];
        for (int number = 0; number < pairs; number++) {
            int pair = (number * (round % 2 ? 1 : pairs - 1) + round) % pairs;
            enter(spaces[pair]);
            double began = at(clock);
            int done = turn(given[1], pair);
            spent[pair] = (at(clock) - began) * 1e6 / done;
        }
        for (int pair = 0; pair < pairs; pair++)
            printf("%.3f%c", spent[pair], pair + 1 < pairs ? ' ' : '\n');
    }
    return 0;
}
