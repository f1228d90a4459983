/* Load for bench/packets.py, which compiles it: floods, connections one after the other, and bulk.
 *
 *   traffic flood SOURCE TARGET PORT SECONDS RATE NEW   UDP at RATE packets/s; NEW 1: each from the next of 60,000 ports
 *   traffic connect TARGET PORT SECONDS                 connect, ask one byte, get one, close; again
 *   traffic send TARGET PORT SECONDS                    as many bytes as go
 *   traffic serve PORT                                  the other end of connect and send, until killed
 *
 * Prints COUNT, SECONDS and PROCESSOR: packets, connections or bytes, how long it really took, and how much of that this
 * process had a processor: also for what the kernel did with its packets, as far as the other end's door.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 18, BATCH = 32, FIRST_PORT = 2000, PORTS = 60000, CHUNK = 1 << 17 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void say(long long count, double began) {
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    printf("%lld %.6f %.6f\n", count, now() - began, spent.tv_sec + spent.tv_nsec / 1e9);
}

static struct sockaddr_in address(const char *text, const char *port) {
    struct sockaddr_in found = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    if (inet_pton(AF_INET, text, &found.sin_addr) != 1)
        fail(text);
    return found;
}

static int opened(int kind, int protocol) {
    int found = socket(AF_INET, kind, protocol);
    if (found < 0)
        fail("socket");
    return found;
}

/* An IPv4 and UDP header; the kernel fills in what is 0, the UDP checksum may stay so. */
static void headers(unsigned char *packet, struct sockaddr_in source, struct sockaddr_in target) {
    packet[0] = 0x45;
    packet[8] = 64;
    packet[9] = IPPROTO_UDP;
    memcpy(packet + 12, &source.sin_addr, 4);
    memcpy(packet + 16, &target.sin_addr, 4);
    memcpy(packet + 22, &target.sin_port, 2);
    packet[25] = 8 + PAYLOAD;
}

static void flood(char **given) {
    struct sockaddr_in source = address(given[0], "0"), target = address(given[1], given[2]);
    double seconds = atof(given[3]), rate = atof(given[4]);
    int fresh = atoi(given[5]), size = fresh ? 28 + PAYLOAD : PAYLOAD;
    int out = fresh ? opened(SOCK_RAW, IPPROTO_RAW) : opened(SOCK_DGRAM, 0);
    unsigned char packets[BATCH][28 + PAYLOAD] = {{0}};
    struct iovec parts[BATCH];
    struct mmsghdr batch[BATCH];
    memset(batch, 0, sizeof batch);
    if (!fresh && bind(out, (void *)&source, sizeof source))
        fail("bind");
    if (connect(out, (void *)&target, sizeof target))
        fail("connect");
    for (int at = 0; at < BATCH; at++) {
        if (fresh)
            headers(packets[at], source, target);
        parts[at] = (struct iovec){packets[at], size};
        batch[at].msg_hdr.msg_iov = &parts[at];
        batch[at].msg_hdr.msg_iovlen = 1;
    }
    long sent = 0;
    double began = now(), passed;
    while ((passed = now() - began) < seconds) {
        if (sent > passed * rate)
            continue;
        for (int at = 0; fresh && at < BATCH; at++) {
            uint16_t port = htons(FIRST_PORT + (sent + at) % PORTS);
            memcpy(packets[at] + 20, &port, 2);
        }
        int went = sendmmsg(out, batch, BATCH, 0);
        if (went < 0)
            fail("sendmmsg");
        sent += went;
    }
    say(sent, began);
}

/* Reset at the end, so that no port waits. */
static void connects(char **given) {
    struct sockaddr_in target = address(given[0], given[1]);
    double seconds = atof(given[2]), began = now();
    struct linger reset = {1, 0};
    int one = 1;
    char byte = 'x';
    long done = 0;
    while (now() - began < seconds) {
        int end = opened(SOCK_STREAM, 0);
        setsockopt(end, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(end, (void *)&target, sizeof target))
            fail("connect");
        if (send(end, &byte, 1, 0) != 1 || recv(end, &byte, 1, 0) != 1)
            fail("exchange");
        close(end);
        done++;
    }
    say(done, began);
}

static void bulk(char **given) {
    struct sockaddr_in target = address(given[0], given[1]);
    static char chunk[CHUNK];
    int end = opened(SOCK_STREAM, 0);
    long long sent = 0;
    chunk[0] = 'b';
    if (connect(end, (void *)&target, sizeof target))
        fail("connect");
    double seconds = atof(given[2]), began = now();
    while (now() - began < seconds) {
        ssize_t went = send(end, chunk, CHUNK, 0);
        if (went < 0)
            fail("send");
        sent += went;
    }
    say(sent, began);
}

/* One connection at a time: a byte is answered, more is swallowed. */
static void serve(char **given) {
    struct sockaddr_in here = address("0.0.0.0", given[0]);
    static char chunk[CHUNK];
    int one = 1, door = opened(SOCK_STREAM, 0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (void *)&here, sizeof here) || listen(door, 512))
        fail("listen");
    puts("ready");
    fflush(stdout);
    for (;;) {
        int end = accept(door, 0, 0);
        ssize_t got = recv(end, chunk, 1, 0);
        if (got == 1 && chunk[0] == 'x')
            send(end, chunk, 1, MSG_NOSIGNAL);
        while (got > 0)
            got = recv(end, chunk, CHUNK, 0);
        close(end);
    }
}

int main(int count, char **given) {
    signal(SIGPIPE, SIG_IGN);
    if (count == 8 && !strcmp(given[1], "flood"))
        flood(given + 2);
    else if (count == 5 && !strcmp(given[1], "connect"))
        connects(given + 2);
    else if (count == 5 && !strcmp(given[1], "send"))
        bulk(given + 2);
    else if (count == 3 && !strcmp(given[1], "serve"))
        serve(given + 2);
    else
        return 2;
    return 0;
}
