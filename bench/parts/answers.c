/* Answers of a speech service and of ORFEAS from memory, on one core: what is measured must not wait for it.
 *
 *     answers PORT WAV WAV_PLACE STL STL_PLACE
 *
 * Each answer of audio or mesh is another one: four bytes at the place count up. GET /count tells how many were sent, how many polls were
 * answered, and how much speech was asked for in vain: below /waiting no job is done and no speech answered. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CLIENTS = 1 << 16, MOST_REQUEST = 1 << 17, HEAD = 256, EVENTS = 512 };

struct file { char *answer; uint32_t size; char *place; };
struct client { char *request; uint32_t have; char *unsent; uint32_t unsent_size; };

static struct client clients[MOST_CLIENTS];
static struct file wav, stl;
static uint32_t files_sent, polls_answered, waiting_asked, jobs;
static int epoll;

static void die(const char *what) { perror(what); exit(1); }

static struct file read_file(const char *path, int place, const char *type) {
    struct stat about;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &about)) die(path);
    struct file file;
    file.answer = malloc(HEAD + about.st_size);
    int head = sprintf(file.answer, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %ld\r\n\r\n", type,
                       (long)about.st_size);
    if (read(fd, file.answer + head, about.st_size) != about.st_size) die(path);
    close(fd);
    file.size = head + about.st_size;
    file.place = file.answer + head + place;
    return file;
}

static void watch(int fd, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

static void hang_up(int fd) {
    close(fd);
    free(clients[fd].request);
    free(clients[fd].unsent);
    memset(&clients[fd], 0, sizeof clients[fd]);
}

static void send_all(int fd, const char *data, uint32_t size) {
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        hang_up(fd);
        return;
    }
    if (sent < 0) sent = 0;
    if ((uint32_t)sent == size) return;
    struct client *client = &clients[fd];
    client->unsent_size = size - sent;
    client->unsent = malloc(client->unsent_size);
    memcpy(client->unsent, data + sent, client->unsent_size);
    watch(fd, EPOLLOUT, EPOLL_CTL_MOD);
}

static void send_rest(int fd) {
    struct client *client = &clients[fd];
    char *data = client->unsent;
    uint32_t size = client->unsent_size;
    client->unsent = NULL;
    watch(fd, EPOLLIN, EPOLL_CTL_MOD);
    send_all(fd, data, size);
    free(data);
}

static void send_file(int fd, struct file *file) {
    files_sent++;
    memcpy(file->place, &files_sent, sizeof files_sent);
    send_all(fd, file->answer, file->size);
}

static void send_json(int fd, const char *json) {
    char answer[1024];
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(json), json);
    send_all(fd, answer, size);
}

static int begins(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

static void answer(int fd, char *request, char *body) {
    char json[512], id[64] = "";
    char *path = strchr(request, ' ') + 1;
    int waiting = begins(path, "/waiting");
    if (waiting) path += strlen("/waiting");
    if (begins(path, "/v1/audio/speech")) {
        if (waiting) waiting_asked++;
        else send_file(fd, &wav);
    } else if (begins(path, "/api/job-status/")) {
        polls_answered++;
        sscanf(path, "/api/job-status/%63[^ ?]", id);
        snprintf(json, sizeof json,
                 waiting ? "{\"job_id\": \"%s\", \"status\": \"processing\"}"
                         : "{\"status\": \"completed\", \"download_url\": \"/api/download/%s/mesh.stl\"}", id);
        send_json(fd, json);
    } else if (begins(path, "/api/download/")) {
        send_file(fd, &stl);
    } else if (begins(path, "/api/upload-image")) {
        snprintf(json, sizeof json, "{\"job_id\": \"%u\"}", ++jobs);
        send_json(fd, json);
    } else if (begins(path, "/api/generate-3d")) {
        char *at = strstr(body, "\"job_id\":\"");
        if (at) sscanf(at, "\"job_id\":\"%63[^\"]", id);
        snprintf(json, sizeof json, "{\"job_id\": \"%s\", \"status\": \"generating\"}", id);
        send_json(fd, json);
    } else if (begins(path, "/count")) {
        snprintf(json, sizeof json, "[%u, %u, %u]", files_sent, polls_answered, waiting_asked);
        send_json(fd, json);
    } else {
        send_json(fd, begins(path, "/ready") ? "{\"status\": \"ready\"}" : "[]");
    }
}

static void take(int fd) {
    struct client *client = &clients[fd];
    if (!client->request) client->request = malloc(MOST_REQUEST);
    ssize_t got = recv(fd, client->request + client->have, MOST_REQUEST - 1 - client->have, 0);
    if (got <= 0) {
        hang_up(fd);
        return;
    }
    client->have += got;
    client->request[client->have] = 0;
    char *end = strstr(client->request, "\r\n\r\n");
    if (!end) return;
    char *length = strcasestr(client->request, "content-length:");
    uint32_t body = length && length < end ? atoi(length + strlen("content-length:")) : 0;
    char *after = end + strlen("\r\n\r\n");
    if (client->have < (after - client->request) + body) return;
    client->have = 0;
    answer(fd, client->request, after);
    free(client->request);  /* thousands wait */
    client->request = NULL;
}

static int listening(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) die("listen");
    return fd;
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    wav = read_file(arguments[2], atoi(arguments[3]), "audio/wav");
    stl = read_file(arguments[4], atoi(arguments[5]), "model/stl");
    int listener = listening(atoi(arguments[1])), yes = 1;
    epoll = epoll_create1(0);
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int new = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
                if (new < 0 || new >= MOST_CLIENTS) continue;
                setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                watch(new, EPOLLIN, EPOLL_CTL_ADD);
            } else if (clients[fd].unsent) {
                send_rest(fd);
            } else {
                take(fd);
            }
        }
    }
}
