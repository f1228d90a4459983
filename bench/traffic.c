/* Load for bench/packets.py, which compiles it: floods, connections one after the other, and bulk.
 *
 *   traffic flood SOURCE PORT TARGET PORT SECONDS RATE NEW CARD MAC
 *                                                       UDP at RATE packets/s by CARD to a router's MAC; NEW 1: each
 *                                                       from the next of 60,000 ports
 *   traffic connect TARGET PORT SECONDS                 connect, ask one byte, get one, close; again
 *   traffic send TARGET PORT SECONDS                    as many bytes as go
 *   traffic serve PORT                                  the other end of connect and send, until killed
 *
 * Prints COUNT, SECONDS and PROCESSOR: packets, connections or bytes, how long it really took, and how much of that this
 * process had a processor: also for what the kernel did with its packets, as far as the other end's door.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

static int opened(int family, int kind, int protocol) {
    int found = socket(family, kind, protocol);
    if (found < 0)
        fail("socket");
    return found;
}

/* The card's own address, and its number in where it sends. */
static struct sockaddr_ll card(int out, const char *name, unsigned char *mac) {
    struct ifreq asked = {0};
    snprintf(asked.ifr_name, sizeof asked.ifr_name, "%s", name);
    if (ioctl(out, SIOCGIFHWADDR, &asked))
        fail(name);
    memcpy(mac, asked.ifr_hwaddr.sa_data, 6);
    return (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(name), .sll_halen = 6};
}

/* A whole frame; the UDP checksum may be 0. */
static void frame(unsigned char *packet, unsigned char *from, unsigned char *to, struct in_addr source, struct in_addr target) {
    memcpy(packet, to, 6);
    memcpy(packet + 6, from, 6);
    packet[12] = 0x08;
    unsigned char *ip = packet + 14;
    ip[0] = 0x45;
    ip[3] = 28 + PAYLOAD;
    ip[8] = 64;
    ip[9] = IPPROTO_UDP;
    memcpy(ip + 12, &source, 4);
    memcpy(ip + 16, &target, 4);
    ip[25] = 8 + PAYLOAD;
    uint32_t sum = 0;
    for (int at = 0; at < 20; at += 2)
        sum += ip[at] << 8 | ip[at + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    ip[10] = sum >> 8;
    ip[11] = sum;
}

/* As frames, past the sender's own IP: the processor is for what is measured. */
static void flood(char **given) {
    struct sockaddr_in source = address(given[0], given[1]), target = address(given[2], given[3]);
    double seconds = atof(given[4]), rate = atof(given[5]);
    int fresh = atoi(given[6]), out = opened(AF_PACKET, SOCK_RAW, 0);
    unsigned char from[6], to[6], packets[BATCH][42 + PAYLOAD] = {{0}};
    struct sockaddr_ll there = card(out, given[7], from);
    struct iovec parts[BATCH];
    struct mmsghdr batch[BATCH];
    memset(batch, 0, sizeof batch);
    if (sscanf(given[8], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5) != 6)
        fail(given[8]);
    for (int at = 0; at < BATCH; at++) {
        frame(packets[at], from, to, source.sin_addr, target.sin_addr);
        memcpy(packets[at] + 34, &source.sin_port, 2);
        memcpy(packets[at] + 36, &target.sin_port, 2);
        parts[at] = (struct iovec){packets[at], sizeof packets[at]};
        batch[at].msg_hdr.msg_iov = &parts[at];
        batch[at].msg_hdr.msg_iovlen = 1;
        batch[at].msg_hdr.msg_name = &there;
        batch[at].msg_hdr.msg_namelen = sizeof there;
    }
    long sent = 0;
    double began = now(), passed;
    while ((passed = now() - began) < seconds) {
        if (sent > passed * rate)
            continue;
        for (int at = 0; fresh && at < BATCH; at++) {
            uint16_t port = htons(FIRST_PORT + (sent + at) % PORTS);
            memcpy(packets[at] + 34, &port, 2);
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
        int end = opened(AF_INET, SOCK_STREAM, 0);
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
    int end = opened(AF_INET, SOCK_STREAM, 0);
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
    int one = 1, door = opened(AF_INET, SOCK_STREAM, 0);
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
    if (count == 11 && !strcmp(given[1], "flood"))
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
