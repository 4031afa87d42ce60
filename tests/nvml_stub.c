/* A stand-in for the NVIDIA driver's libnvidia-ml.so.1, steered by a text file.
 *
 * The file named by NVML_STUB_STATE is read anew whenever it was replaced, so a test can change
 * what the devices report between two readings. Its lines (written by tests/nvml.py):
 *
 *   init <code> <how many devices are counted that are not there>
 *   device <index> <handle code> <name code> <memory code> <process code> <total> <used> <name>
 *   process <device index> <compute|graphics> <pid, 0 for the calling process> <bytes, -1 unknown>
 *
 * Codes are NVML's return values; 0 is success. In a device's name, \xNN stands for one byte.
 *
 * A driver of another age is built with -D<function>=<another name>, which hides the function
 * (tests/nvml.py: missing). The second version of the process lists is there only with
 * -DWITH_V2_PROCESSES. A file named by NVML_STUB_MARK is made when the library is loaded.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEVICES 8
#define MAX_PROCESSES 32
#define NAME_SIZE 96
enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, INSUFFICIENT_SIZE = 7, UNKNOWN = 999 };

typedef struct {
    int handle_code, name_code, memory_code, process_code;
    unsigned long long total, used;
    char name[NAME_SIZE];
} device_t;

typedef struct {
    int device, graphics;
    unsigned pid;
    unsigned long long used;
} process_t;

typedef struct {
    int init_code, lying_devices, device_count, process_count;
    device_t devices[MAX_DEVICES];
    process_t processes[MAX_PROCESSES];
} state_t;

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; }
    process_info_t;

static int initialized = 0;

/* Leaves a mark when the library is loaded, whoever does it. */
__attribute__((constructor)) static void note_loading(void) {
    const char *path = getenv("NVML_STUB_MARK");
    int file = path ? open(path, O_CREAT | O_WRONLY, 0644) : -1;
    if (file >= 0) close(file);
}

static int read_state(state_t *state) {
    static state_t last;
    static struct stat last_file;
    struct stat now;
    const char *path = getenv("NVML_STUB_STATE");
    if (!path || stat(path, &now)) return UNKNOWN;
    if (now.st_ino == last_file.st_ino && now.st_mtim.tv_sec == last_file.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == last_file.st_mtim.tv_nsec) {
        *state = last;
        return SUCCESS;
    }
    FILE *file = fopen(path, "r");
    if (!file) return UNKNOWN;
    memset(state, 0, sizeof *state);
    char line[256], kind[16];
    while (fgets(line, sizeof line, file)) {
        device_t device;
        process_t process;
        int index;
        long long bytes;
        memset(&device, 0, sizeof device);
        if (sscanf(line, "init %d %d", &state->init_code, &state->lying_devices) >= 1) continue;
        if (sscanf(line, "device %d %d %d %d %d %llu %llu %95[^\n]", &index, &device.handle_code,
                   &device.name_code, &device.memory_code, &device.process_code, &device.total,
                   &device.used, device.name) == 8 && index >= 0 && index < MAX_DEVICES) {
            state->devices[index] = device;
            if (index >= state->device_count) state->device_count = index + 1;
        } else if (sscanf(line, "process %d %15s %u %lld", &process.device, kind, &process.pid,
                          &bytes) == 4 && state->process_count < MAX_PROCESSES) {
            process.graphics = strcmp(kind, "graphics") == 0;
            if (process.pid == 0) process.pid = (unsigned)getpid();
            process.used = (unsigned long long)bytes; /* -1 is NVML_VALUE_NOT_AVAILABLE */
            state->processes[state->process_count++] = process;
        }
    }
    fclose(file);
    last = *state;
    last_file = now;
    return SUCCESS;
}

/* A handle is the index plus one, so that none is NULL. */
static int find_device(void *handle, state_t *state, int *index) {
    if (!initialized) return UNINITIALIZED;
    int code = read_state(state);
    if (code) return code;
    *index = (int)(size_t)handle - 1;
    return *index >= 0 && *index < state->device_count ? SUCCESS : INVALID_ARGUMENT;
}

int nvmlInitWithFlags(unsigned flags) {
    state_t state;
    (void)flags;
    int code = read_state(&state);
    if (!code) code = state.init_code;
    if (!code) initialized++;
    return code;
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

int nvmlShutdown(void) {
    if (!initialized) return UNINITIALIZED;
    initialized--;
    return SUCCESS;
}

const char *nvmlErrorString(int code) {
    (void)code;
    return "an error of the stub";
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    state_t state;
    if (!initialized) return UNINITIALIZED;
    int code = read_state(&state);
    *count = (unsigned)(state.device_count + state.lying_devices);
    return code;
}

int nvmlSystemGetDriverVersion(char *version, unsigned length) {
    if (!initialized) return UNINITIALIZED;
    snprintf(version, length, "470.00");
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    state_t state;
    if (!initialized) return UNINITIALIZED;
    int code = read_state(&state);
    if (code) return code;
    if ((int)index >= state.device_count) return INVALID_ARGUMENT;
    *handle = (void *)(size_t)(index + 1);
    return state.devices[index].handle_code;
}

/* Copy text with \xNN as bytes. */
static void unescape(char *to, unsigned length, const char *from) {
    unsigned byte, written = 0;
    while (*from && written + 1 < length) {
        if (sscanf(from, "\\x%2x", &byte) == 1) {
            to[written++] = (char)byte;
            from += 4;
        } else {
            to[written++] = *from++;
        }
    }
    to[written] = 0;
}

int nvmlDeviceGetName(void *handle, char *name, unsigned length) {
    state_t state;
    int index, code = find_device(handle, &state, &index);
    if (code) return code;
    unescape(name, length, state.devices[index].name);
    return state.devices[index].name_code;
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned length) {
    state_t state;
    int index, code = find_device(handle, &state, &index);
    if (code) return code;
    snprintf(uuid, length, "GPU-%08d-0000-0000-0000-000000000000", index);
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) {
    state_t state;
    int index, code = find_device(handle, &state, &index);
    if (code) return code;
    const device_t *device = &state.devices[index];
    memory->total = device->total;
    memory->used = device->used;
    memory->free = device->total - device->used;
    return device->memory_code;
}

static int list_processes(void *handle, int graphics, unsigned *count, process_info_t *found) {
    state_t state;
    int index, code = find_device(handle, &state, &index);
    if (code) return code;
    if (state.devices[index].process_code) return state.devices[index].process_code;
    unsigned room = *count, needed = 0;
    for (int i = 0; i < state.process_count; i++) {
        const process_t *process = &state.processes[i];
        if (process->device != index || process->graphics != graphics) continue;
        if (found && needed < room) {
            found[needed].pid = process->pid;
            found[needed].used = process->used;
            found[needed].gpu_instance = found[needed].compute_instance = 0xFFFFFFFFu;
        }
        needed++;
    }
    *count = needed;
    return needed > room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process_info_t *found) {
    return list_processes(handle, 0, count, found);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process_info_t *found) {
    return list_processes(handle, 1, count, found);
}

#ifdef WITH_V2_PROCESSES
int nvmlDeviceGetComputeRunningProcesses_v2(void *handle, unsigned *count, process_info_t *found) {
    return list_processes(handle, 0, count, found);
}

int nvmlDeviceGetGraphicsRunningProcesses_v2(void *handle, unsigned *count, process_info_t *found) {
    return list_processes(handle, 1, count, found);
}
#endif
