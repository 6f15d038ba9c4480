/* A libnvidia-ml.so.1 that answers what a script says: the file that $FAKE_NVML names, read anew at each call.
 *
 * A line is "KEY VALUE"; keys of a GPU begin with its index: "0.power 71500". A value "!15" is NVML's error
 * code 15; a key that is not there is "not supported" (3). "event GPU XID" is an event, delivered once, in the
 * order of the lines. Built with -DOLD, it lacks what drivers before 510 lack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct device *device_t;

enum { OK = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, NOT_LOADED = 9, TIMEOUT = 10 };

static int delivered; /* events */

/* The value of the `number`th line with this key. */
static int nth(const char *key, int number, char *value, size_t size) {
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return NOT_LOADED;
    char line[256], name[128];
    int found = NOT_SUPPORTED, at;
    while (found == NOT_SUPPORTED && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%127s %n", name, &at) != 1 || strcmp(name, key) || number-- > 0) continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(value, size, "%s", line + at);
        found = *value == '!' ? atoi(value + 1) : OK;
    }
    fclose(file);
    return found;
}

static int text(const char *key, char *value, u32 size) { return nth(key, 0, value, size); }

static int number(const char *key, u64 *value) {
    char digits[128];
    int answer = text(key, digits, sizeof digits);
    if (answer == OK) *value = strtoull(digits, NULL, 10);
    return answer;
}

static const char *of(device_t device, const char *what) {
    static _Thread_local char key[128];
    snprintf(key, sizeof key, "%d.%s", (int)((size_t)device / 64) - 1, what);
    return key;
}

static device_t device(int index) { return (device_t)(size_t)((index + 1) * 64); }

static int number32(device_t gpu, const char *what, u32 *value) {
    u64 wide;
    int answer = number(of(gpu, what), &wide);
    if (answer == OK) *value = (u32)wide;
    return answer;
}

int nvmlInitWithFlags(u32 flags) {
    u64 ignored;
    int answer = number("init", &ignored);
    return answer == NOT_SUPPORTED ? OK : answer;
}
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == 999 ? "Unknown Error" : "an error of the fake"; }
int nvmlSystemGetDriverVersion(char *version, u32 size) { return text("driver", version, size); }

int nvmlDeviceGetCount_v2(u32 *count) {
    u64 wide = 0;
    int answer = number("count", &wide);
    *count = (u32)wide;
    return answer;
}
int nvmlDeviceGetHandleByIndex_v2(u32 index, device_t *gpu) {
    char name[128];
    *gpu = device((int)index);
    int answer = text(of(*gpu, "handle"), name, sizeof name);
    return answer == NOT_SUPPORTED ? OK : answer;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, device_t *gpu) {
    char known[128];
    for (int index = 0; index < 16; index++)
        if (text(of(device(index), "uuid"), known, sizeof known) == OK && !strcmp(known, uuid)) {
            *gpu = device(index);
            return OK;
        }
    return NOT_FOUND;
}
int nvmlDeviceGetIndex(device_t gpu, u32 *index) {
    if (number32(gpu, "index", index) != OK) *index = (u32)((size_t)gpu / 64) - 1;
    return OK;
}
/* "3.slice_of 0" and "3.instance 5": GPU 3 is a MIG slice of board 0. */
int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(device_t slice, device_t *board) {
    u32 index;
    int answer = number32(slice, "slice_of", &index);
    if (answer == OK) *board = device((int)index);
    return answer;
}
int nvmlDeviceGetGpuInstanceId(device_t slice, u32 *id) { return number32(slice, "instance", id); }
int nvmlDeviceGetUUID(device_t gpu, char *uuid, u32 size) { return text(of(gpu, "uuid"), uuid, size); }
int nvmlDeviceGetName(device_t gpu, char *name, u32 size) { return text(of(gpu, "name"), name, size); }

int nvmlDeviceGetUtilizationRates(device_t gpu, u32 rates[2]) {
    int answer = number32(gpu, "utilisation", rates);
    return answer == OK ? number32(gpu, "memory_utilisation", rates + 1) : answer;
}
int nvmlDeviceGetMemoryInfo(device_t gpu, u64 memory[3]) { /* total, free, used */
    u64 reserved;
    int answer = number(of(gpu, "memory_total"), memory);
    if (answer == OK) answer = number(of(gpu, "memory_free"), memory + 1);
    if (answer == OK) answer = number(of(gpu, "memory_reserved"), &reserved);
    if (answer == OK) memory[2] = memory[0] - memory[1];
    return answer;
}
#ifndef OLD
int nvmlDeviceGetMemoryInfo_v2(device_t gpu, u64 memory[5]) { /* version, total, reserved, free, used */
    if ((u32)memory[0] != 0x02000028) return INVALID_ARGUMENT;
    int answer = number(of(gpu, "memory_total"), memory + 1);
    if (answer == OK) answer = number(of(gpu, "memory_reserved"), memory + 2);
    if (answer == OK) answer = number(of(gpu, "memory_free"), memory + 3);
    if (answer == OK) memory[4] = memory[1] - memory[2] - memory[3];
    return answer;
}
int nvmlDeviceGetCurrentClocksEventReasons(device_t gpu, u64 *mask) { return number(of(gpu, "reasons"), mask); }
#endif
int nvmlDeviceGetCurrentClocksThrottleReasons(device_t gpu, u64 *mask) { return number(of(gpu, "reasons"), mask); }
int nvmlDeviceGetPowerUsage(device_t gpu, u32 *milliwatts) { return number32(gpu, "power", milliwatts); }
int nvmlDeviceGetTotalEnergyConsumption(device_t gpu, u64 *millijoules) { return number(of(gpu, "energy"), millijoules); }
int nvmlDeviceGetTemperature(device_t gpu, int sensor, u32 *degrees) { return number32(gpu, "temperature", degrees); }
int nvmlDeviceGetClockInfo(device_t gpu, int kind, u32 *megahertz) {
    return number32(gpu, kind == 1 ? "clock_sm" : kind == 2 ? "clock_memory" : "?", megahertz);
}
int nvmlDeviceGetTotalEccErrors(device_t gpu, int kind, int counter, u64 *count) {
    return counter == 0 ? number(of(gpu, kind ? "ecc_uncorrected" : "ecc_corrected"), count) : INVALID_ARGUMENT;
}

struct process { u32 pid; u64 memory; u32 gpu_instance, compute_instance; };

static int processes(device_t gpu, const char *what, u32 *room, struct process *into) {
    char value[128];
    u32 count = 0;
    int answer;
    while ((answer = nth(of(gpu, what), (int)count, value, sizeof value)) == OK) {
        if (!strcmp(value, "none")) break;
        if (into && count < *room) {
            char *end;
            into[count].pid = (u32)strtoul(value, &end, 10);
            while (*end == ' ') end++;
            into[count].memory = strcmp(end, "unknown") ? strtoull(end, NULL, 10) : ~0ull;
        }
        count++;
    }
    if (answer != OK && (answer != NOT_SUPPORTED || count == 0)) return answer;
    int fits = count <= *room;
    *room = count;
    return fits ? OK : TOO_SMALL;
}
int nvmlDeviceGetComputeRunningProcesses_v3(device_t gpu, u32 *room, struct process *into) {
    return processes(gpu, "process", room, into);
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(device_t gpu, u32 *room, struct process *into) {
    return processes(gpu, "graphics", room, into);
}
int nvmlSystemGetProcessName(u32 pid, char *name, u32 size) {
    char key[128];
    snprintf(key, sizeof key, "program.%u", pid);
    return text(key, name, size);
}

struct event { device_t device; u64 type, data; u32 gpu_instance, compute_instance; };

int nvmlEventSetCreate(void **set) {
    u64 ignored;
    int answer = number("events", &ignored);
    *set = &delivered;
    return answer;
}
int nvmlDeviceRegisterEvents(device_t gpu, u64 types, void *set) {
    u64 ignored;
    return types == 8 ? number(of(gpu, "events"), &ignored) : INVALID_ARGUMENT;
}
int nvmlEventSetWait_v2(void *set, struct event *event, u32 milliseconds) {
    char value[128];
    int answer = nth("event", delivered, value, sizeof value), index;
    if (answer == NOT_SUPPORTED) return TIMEOUT;
    delivered++;
    if (answer != OK) return answer;
    event->type = 8;
    sscanf(value, "%d %llu", &index, &event->data);
    event->device = device(index);
    return OK;
}
int nvmlEventSetFree(void *set) { return OK; }
