/* Answers as NVML does, for two cards. LOST: one is lost, and a question is refused. HANGS: one
   hangs. OLD: a function is not there yet. */
#include <string.h>
#include <unistd.h>
static char cards[2] = {7, 15};
#define CARD(d) (*(char *)(d))
#define SAY(s) strncpy(to, s, room); return 0;
const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "Unknown Error"; }
int nvmlInit_v2(void) { return 0; }
int nvmlSystemGetDriverVersion(char *to, unsigned room) { SAY("550.54.15") }
int nvmlSystemGetCudaDriverVersion_v2(int *v) { *v = 12040; return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) {
#ifdef LOST
    if (i == 1) return 15;
#endif
    *d = cards + i; return 0;
}
int nvmlDeviceGetPciInfo_v3(void *d, char *to) {
    strcpy(to + 36, CARD(d) == 7 ? "00000000:07:00.0" : "00000000:0F:00.0"); return 0;
}
int nvmlDeviceGetName(void *d, char *to, unsigned room) { SAY("NVIDIA H100") }
int nvmlDeviceGetUUID(void *d, char *to, unsigned room) {
    if (CARD(d) == 1) { SAY("MIG-1") }
    SAY(CARD(d) == 7 ? "GPU-07" : "GPU-0f")
}
int nvmlDeviceGetMemoryInfo(void *d, unsigned long long *m) {
#ifdef HANGS
    if (CARD(d) == 15) for (;;) sleep(60);
#endif
    m[0] = CARD(d) == 1 ? 10ULL << 30 : 80ULL << 30; return 0;
}
int nvmlDeviceGetCudaComputeCapability(void *d, int *a, int *b) { *a = 9; *b = 0; return 0; }
int nvmlDeviceGetEccMode(void *d, int *a, int *b) { *a = *b = 1; return 0; }
int nvmlDeviceGetMigMode(void *d, int *a, int *b) { *a = *b = CARD(d) == 15; return 0; }
int nvmlDeviceGetMaxMigDeviceCount(void *d, unsigned *n) { *n = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *d, unsigned i, void **part) {
    static char one = 1;
    if (i) return 6;
    *part = &one; return 0;
}
int nvmlDeviceGetEnforcedPowerLimit(void *d, unsigned *w) {
#ifdef LOST
    return 999;
#endif
    *w = 700000; return 0;
}
int nvmlDeviceGetMaxClockInfo(void *d, int kind, unsigned *mhz) {
    *mhz = kind == 1 ? 1980 : 2619; return 0;
}
int nvmlDeviceGetApplicationsClock(void *d, int kind, unsigned *mhz) { return 3; }
int nvmlDeviceGetPersistenceMode(void *d, int *on) { *on = 1; return 0; }
#ifndef OLD
int nvmlDeviceGetComputeMode(void *d, int *mode) { *mode = 3; return 0; }
#endif
