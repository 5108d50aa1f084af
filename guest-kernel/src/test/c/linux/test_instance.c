/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start that is configured from outside, with the whole network stack under it, on the virtual clock. The
 * metadata service is this test, at the other end of a loopback connection: the machine itself has the
 * address 169.254.169.254.
 */
#include <stdio.h>
#include <string.h>

#include "core/lock_statistics.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/diagnostics.h"
#include "linux/instance.h"
#include "linux/profile_output.h"
#include "linux/syscalls.h"
#include "net/capture.h"
#include "threads/profile.h"
#include "net/wire.h"

/* A configuration lives as long as the machine; what else must be given back is counted by a test. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

#define SERVICE 0xa9fea9feu
#define TOKEN "AQAEAtoken=="
#define TOKEN_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" TOKEN
#define DATA_ANSWER(length) \
    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " length "\r\n\r\n"

/* ---- The metadata service -------------------------------------------------------------------------------- */

static struct {
    struct file *listener, *connection;
    const char *answers[2]; /* to the token's request and the next; NULL: never */
    size_t lengths[2];
    size_t piece;      /* bytes sent at once */
    nanoseconds pause; /* before each piece */
    unsigned served;   /* connections taken */
    char requests[2][1024];
    size_t received, sent;
} service;

static bool take_connection(void)
{
    if (service.served == 2 || stack_accept(service.listener, &service.connection) < 0)
        return false;
    stack_nonblocking(service.connection);
    service.received = service.sent = 0;
    service.served++;
    return true;
}

static bool take_request(char *request)
{
    ssize_type length = stack_receive(service.connection, request + service.received, 1023 - service.received, 0);
    if (length <= 0)
        return false;
    service.received += (size_t)length;
    return true;
}

static bool send_piece(const char *answer, size_t length)
{
    size_t piece = min_of(service.piece, length - service.sent);
    if (answer == NULL)
        return false;
    host_advance(service.pause);
    if (piece == 0 || stack_send(service.connection, answer + service.sent, piece, 0) < 0) {
        file_put(service.connection);
        service.connection = NULL;
    }
    service.sent += piece;
    return true;
}

static bool serve(void)
{
    if (service.connection == NULL)
        return take_connection();
    unsigned i = service.served - 1;
    if (strstr(service.requests[i], "\r\n\r\n") == NULL)
        return take_request(service.requests[i]);
    return send_piece(service.answers[i], service.lengths[i]);
}

static void start_service(const char *token_answer, const char *data_answer)
{
    struct net_configuration configuration = { .address = SERVICE, .prefix = 16 };
    net_configure_static(&configuration);
    memset(&service, 0, sizeof(service));
    service.listener = stack_socket(SOCK_STREAM);
    stack_nonblocking(service.listener);
    service.answers[0] = token_answer;
    service.answers[1] = data_answer;
    service.lengths[0] = token_answer != NULL ? strlen(token_answer) : 0;
    service.lengths[1] = data_answer != NULL ? strlen(data_answer) : 0;
    service.piece = SIZE_MAX;
    if (stack_bind(service.listener, SERVICE, 80) < 0 || stack_listen(service.listener, 4) < 0)
        host_fail(__FILE__, __LINE__, "the service cannot listen");
    host_idle = serve;
}

static void stop_service(void)
{
    if (service.connection != NULL)
        file_put(service.connection);
    file_put(service.listener);
    host_advance(300 * NS_PER_SECOND); /* TIME_WAIT and the like */
}

/* ---- The machine ------------------------------------------------------------------------------------------- */

static const char *settings[4]; /* name, value, ... */
static int settings_error;

int platform_settings(platform_setting_visit *visit, void *context)
{
    for (unsigned i = 0; i < array_size(settings) && settings[i] != NULL; i += 2)
        visit(context, settings[i], settings[i + 1], strlen(settings[i + 1]));
    return settings_error;
}

/* What the switches do that need a process. */
static char traced[1100];
static uint64_t sampled_hz;

bool system_calls_trace(const char *names)
{
    snprintf(traced, sizeof(traced), "%s", names);
    return strcmp(names, "nonsense") != 0;
}

bool profile_parse(const char *value, uint64_t *hz) { return parse_decimal(value, hz) && *hz <= PROFILE_HZ_MOST; }

int profile_output_set(uint64_t hz)
{
    sampled_hz = hz;
    return hz == 4999 ? -ENOMEM : 0;
}

static struct environment environment;
static unsigned diagnostics;
static struct string_list command_line;
static nanoseconds took;
static const char *logged;

static void begin(void)
{
    const char *problem;
    environment = (struct environment){ 0 };
    command_line = (struct string_list){ 0 };
    memset(settings, 0, sizeof(settings));
    settings_error = 0;
    diagnostics = 0;
    traced[0] = 0;
    sampled_hz = 0;
    capture_bytes = 0;
    lock_statistics_stop();
    if (!environment_set(&environment, "BAKED=image") || !environment_set(&environment, "APP_A=image") ||
        !environment_allow(&environment, "APP_*", &problem))
        host_fail(__FILE__, __LINE__, "no memory for the image's environment");
    host_log();
}

static void configure_from(unsigned sources, bool network)
{
    struct instance instance = {
        .environment = &environment,
        .sources = sources,
        .diagnostics = diagnostics,
        .command_line = &command_line,
        .network = network,
    };
    nanoseconds began = clock_monotonic();
    instance_configure(&instance);
    took = clock_monotonic() - began;
    logged = host_log();
}

static void configure(void) { configure_from(SOURCES_ALL, true); }

/* The value, or "(none)". */
static const char *value_of(const char *name)
{
    const char *const *items = string_list_array(&environment.variables);
    for (; *items != NULL; items++)
        if (strncmp(*items, name, strlen(name)) == 0 && (*items)[strlen(name)] == '=')
            return *items + strlen(name) + 1;
    return "(none)";
}

#define CHECK_VALUE(name, value) CHECK(strcmp(value_of(name), value) == 0)
#define CHECK_LOGGED(text) \
    do { \
        if (strstr(logged, text) == NULL) { \
            host_fail(__FILE__, __LINE__, "logged: %s", logged); \
            return; \
        } \
    } while (0)

/* ---- Tests --------------------------------------------------------------------------------------------------- */

static void sources_are_words(void)
{
    unsigned sources;
    CHECK(sources_parse("command-line host user-data", &sources) && sources == SOURCES_ALL);
    CHECK(sources_parse("host", &sources) && sources == SOURCE_HOST);
    CHECK(!sources_parse("", &sources) && !sources_parse("host  user-data", &sources));
    CHECK(!sources_parse("hosts", &sources) && !sources_parse("host ", &sources));
}

static void later_sources_win(void)
{
    begin();
    start_service(TOKEN_ANSWER, DATA_ANSWER("48") "APP_A=data\nAPP_B=data\nAPP_C=data\nAPP_D=s3cret-x\n#");
    settings[0] = "APP_B", settings[1] = "host", settings[2] = "APP_C", settings[3] = "host";
    CHECK(string_list_add(&command_line, "APP_C=command=line"));
    configure();
    stop_service();
    CHECK_VALUE("BAKED", "image");
    CHECK_VALUE("APP_A", "data");
    CHECK_VALUE("APP_B", "host");
    CHECK_VALUE("APP_C", "command=line");
    CHECK_VALUE("APP_D", "s3cret-x");
    CHECK_LOGGED("user data: APP_D is set\n");
    CHECK_LOGGED("command line: APP_C is set\n");
    CHECK(strstr(logged, "s3cret") == NULL && strstr(logged, "command=") == NULL);
}

static void requests_are_version_2(void)
{
    begin();
    start_service(TOKEN_ANSWER, DATA_ANSWER("0"));
    configure();
    stop_service();
    CHECK(strcmp(service.requests[0],
                 "PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\n"
                 "X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") == 0);
    CHECK(strcmp(service.requests[1], "GET /latest/user-data HTTP/1.1\r\nHost: 169.254.169.254\r\n"
                                      "X-aws-ec2-metadata-token: " TOKEN "\r\nConnection: close\r\n\r\n") == 0);
    CHECK(logged[0] == 0);
}

static void only_what_is_allowed_is_taken(void)
{
    char text[4096] = "LD_PRELOAD=/tmp/evil.so\nBAKED=other-value\nAPP_OK=1\n", answer[4200];
    begin();
    for (int i = 0; i < 20; i++)
        sprintf(text + strlen(text), "X%d=hidden\n", i);
    sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
    start_service(TOKEN_ANSWER, answer);
    settings[0] = "APP-X", settings[1] = "hidden", settings[2] = "JAVA_TOOL_OPTIONS", settings[3] = "hidden";
    CHECK(string_list_add(&command_line, "BAKED=hidden"));
    configure();
    stop_service();
    CHECK_VALUE("BAKED", "image");
    CHECK_VALUE("LD_PRELOAD", "(none)");
    CHECK_VALUE("JAVA_TOOL_OPTIONS", "(none)");
    CHECK_VALUE("APP_OK", "1");
    CHECK_EQUAL(environment.variables.count, 3);
    CHECK_LOGGED("user data: LD_PRELOAD is ignored: the image does not allow it; name it in instanceEnvironment\n");
    CHECK_LOGGED("user data: X5 is ignored");
    CHECK(strstr(logged, "X6 is ignored") == NULL);
    CHECK_LOGGED("user data: 14 more are ignored\n");
    CHECK_LOGGED("settings of the host: APP-X is ignored: only letters, digits and _ can be in a name\n");
    CHECK_LOGGED("settings of the host: JAVA_TOOL_OPTIONS is ignored: the image");
    CHECK_LOGGED("command line: BAKED is ignored: the image");
    CHECK(strstr(logged, "hidden") == NULL && strstr(logged, "evil") == NULL && strstr(logged, "other-value") == NULL);
}

static void use_user_data_of(const char *text)
{
    char answer[4200];
    sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
    start_service(TOKEN_ANSWER, answer);
    configure();
    stop_service();
}

static void switches_are_words(void)
{
    unsigned allowed;
    CHECK(diagnostics_parse("trace capture profile lockstat", &allowed) && allowed == 15);
    CHECK(diagnostics_parse("lockstat", &allowed) && allowed == 8);
    CHECK(!diagnostics_parse("", &allowed) && !diagnostics_parse("trace  profile", &allowed));
    CHECK(!diagnostics_parse("traces", &allowed) && !diagnostics_parse("trace ", &allowed));
}

/* Without a variable that the image allows. */
static void switches_are_set_if_allowed(void)
{
    begin();
    environment.allowed.count = 0;
    CHECK(diagnostics_parse("trace capture profile lockstat", &diagnostics));
    use_user_data_of(
        "UNIKERNEL_TRACE=openat,EINVAL\nUNIKERNEL_CAPTURE=96\nUNIKERNEL_PROFILE=99\nUNIKERNEL_LOCKSTAT=1\n");
    CHECK(strcmp(traced, "openat,EINVAL") == 0);
    CHECK_EQUAL(capture_bytes, 96);
    CHECK_EQUAL(sampled_hz, 99);
    CHECK(lock_statistics);
    CHECK_EQUAL(environment.variables.count, 2);
    CHECK_LOGGED("user data: UNIKERNEL_CAPTURE is set\n");
    CHECK(strstr(logged, "openat") == NULL);
    begin();
}

static void other_switches_are_refused(void)
{
    begin();
    const char *problem;
    CHECK(environment_allow(&environment, "UNIKERNEL_*", &problem));
    use_user_data_of("UNIKERNEL_TRACE=all\nUNIKERNEL_LOCKSTAT=1\n");
    CHECK(traced[0] == 0 && !lock_statistics);
    CHECK_LOGGED(
        "user data: UNIKERNEL_TRACE is ignored: the image does not allow it; name it in instanceDiagnostics\n");
    begin();
    CHECK(diagnostics_parse("profile", &diagnostics));
    CHECK(environment_allow(&environment, "UNIKERNEL_*", &problem));
    CHECK(string_list_add(&command_line, "UNIKERNEL_CAPTURE=64"));
    use_user_data_of(
        "UNIKERNEL_TRACE=all\nUNIKERNEL_PROFILE=997\nUNIKERNEL_TRACED=1\nUNIKERNEL_trace=2\nUNIKERNEL_=3\n");
    CHECK(traced[0] == 0 && capture_bytes == 0);
    CHECK_EQUAL(sampled_hz, 997);
    CHECK_LOGGED("command line: UNIKERNEL_CAPTURE is ignored: the image does not allow it");
    CHECK_VALUE("UNIKERNEL_TRACED", "1");
    CHECK_VALUE("UNIKERNEL_trace", "2");
    CHECK_VALUE("UNIKERNEL_", "3");
    CHECK_VALUE("UNIKERNEL_TRACE", "(none)");
}

static void bad_values_of_switches_are_reported(void)
{
    char text[2048] = "UNIKERNEL_CAPTURE=65536\nUNIKERNEL_PROFILE=4999\nUNIKERNEL_LOCKSTAT=yes\nUNIKERNEL_TRACE=";
    begin();
    CHECK(diagnostics_parse("trace capture profile lockstat", &diagnostics));
    size_t length = strlen(text);
    memset(text + length, 'a', 1024);
    use_user_data_of(text);
    CHECK(traced[0] == 0 && capture_bytes == 0 && !lock_statistics);
    CHECK_LOGGED("user data: UNIKERNEL_CAPTURE is ignored: it cannot have this value\n");
    CHECK_LOGGED("user data: UNIKERNEL_PROFILE is ignored: there is no memory for it\n");
    CHECK_LOGGED("user data: UNIKERNEL_LOCKSTAT is ignored: it cannot have this value\n");
    CHECK_LOGGED("user data: UNIKERNEL_TRACE is ignored: it cannot have this value\n");
    begin();
    CHECK(diagnostics_parse("trace", &diagnostics));
    text[length + 1023] = 0;
    use_user_data_of(text + length - strlen("UNIKERNEL_TRACE="));
    CHECK_EQUAL(strlen(traced), 1023);
}

static unsigned frames_sent;
static void count_frame(const uint8_t *frame, uint32_t length)
{
    (void)frame;
    (void)length;
    frames_sent++;
}

static void nothing_is_asked_unless_wanted(void)
{
    begin();
    wire_configure();
    frames_sent = 0;
    wire_sent = count_frame;
    settings[0] = "APP_A", settings[1] = "host";
    configure_from(SOURCE_COMMAND_LINE, true);
    CHECK_VALUE("APP_A", "image");
    configure_from(SOURCES_ALL & ~SOURCE_HOST, false);
    CHECK_VALUE("APP_A", "image");
    environment.allowed.count = 0;
    settings_error = -EIO;
    CHECK(string_list_add(&command_line, "APP_A=x"));
    configure();
    wire_sent = NULL;
    CHECK_VALUE("APP_A", "image");
    CHECK_EQUAL(frames_sent, 0);
    CHECK_EQUAL(took, 0);
    CHECK(strcmp(logged, "command line: APP_A is ignored: the image does not allow it; name it in "
                         "instanceEnvironment\n") == 0);
}

static void failures_of_the_host_are_reported(void)
{
    begin();
    settings[0] = "APP_A", settings[1] = "host";
    settings_error = -EIO;
    configure_from(SOURCE_HOST, true);
    CHECK_VALUE("APP_A", "host");
    CHECK_LOGGED("continuing without settings of the host: EIO\n");
}

/* Nobody has the address: neither a neighbour nor the gateway answers ARP. */
static void nobody_answers(void)
{
    struct net_configuration configuration = { .address = WIRE_STACK, .prefix = 24, .gateway = WIRE_PEER };
    begin();
    wire_sent = count_frame;
    net_configure_static(&configuration);
    configure();
    CHECK(strcmp(logged, "continuing without user data: no answer from 169.254.169.254 in time\n") == 0);
    CHECK(took <= NS_PER_SECOND && took >= 700 * NS_PER_MS);
    begin();
    configuration.gateway = IPV4_ANY;
    net_configure_static(&configuration);
    configure();
    wire_sent = NULL;
    CHECK(strcmp(logged, "continuing without user data: no way to 169.254.169.254\n") == 0);
    CHECK_EQUAL(took, 0);
    host_advance(300 * NS_PER_SECOND);
}

static void nobody_listens(void)
{
    struct net_configuration configuration = { .address = SERVICE, .prefix = 16 };
    begin();
    net_configure_static(&configuration);
    configure();
    CHECK(strcmp(logged, "continuing without user data: 169.254.169.254 takes no connections\n") == 0);
    CHECK(took < 10 * NS_PER_MS);
}

/* One misbehaviour of the service: what is logged, once, and that the boot waits a second at most. */
static const char *problem_with(const char *token_answer, const char *data_answer, size_t piece, nanoseconds pause)
{
    static char problem[1024];
    begin();
    start_service(token_answer, data_answer);
    service.piece = piece;
    service.pause = pause;
    configure();
    snprintf(problem, sizeof(problem), "%s", logged);
    stop_service();
    if (took > NS_PER_SECOND)
        host_fail(__FILE__, __LINE__, "it took %lu ms: %s", (unsigned long)(took / NS_PER_MS), problem);
    if (strcmp(value_of("APP_A"), "image") != 0 || environment.variables.count != 2)
        host_fail(__FILE__, __LINE__, "something was taken");
    return problem;
}

#define FAILS(token, data, text) \
    CHECK(strcmp(problem_with(token, data, SIZE_MAX, 0), "continuing without user data: " text "\n") == 0)

static void misbehaviour_ends_in_time(void)
{
    static char large[30000];
    uint64_t blocks = host_heap_blocks();
    CHECK(strcmp(problem_with(TOKEN_ANSWER, "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n", SIZE_MAX, 0),
                 "this instance has no user data\n") == 0);
    FAILS(NULL, NULL, "no answer from 169.254.169.254 in time");
    FAILS(TOKEN_ANSWER, NULL, "no answer from 169.254.169.254 in time");
    FAILS("HTTP/1.1 403 Forbidden\r\n\r\n", NULL,
          "169.254.169.254 answers status 403 for a token of IMDSv2: it is switched off for this instance");
    FAILS("HTTP/1.1 404 Not Found\r\n\r\n", NULL, "169.254.169.254 answers status 404 for a token of IMDSv2");
    FAILS("HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n", NULL,
          "169.254.169.254 answers status 302 for a token of IMDSv2");
    FAILS(TOKEN_ANSWER, "HTTP/1.1 401 Unauthorized\r\n\r\n", "169.254.169.254 answers status 401 for the user data");
    FAILS("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab\r\nX: y", NULL, "the token of 169.254.169.254 cannot be one");
    FAILS("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL, "the token of 169.254.169.254 cannot be one");
    FAILS(TOKEN_ANSWER, DATA_ANSWER("40") "APP_A=cut", "169.254.169.254 ended the connection early");
    FAILS("nonsense\r\n", NULL, "the answer of 169.254.169.254 is not HTTP with a length");
    FAILS(TOKEN_ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nAPP_A=1\r\n0\r\n\r\n",
          "169.254.169.254 answers in a transfer coding, which is not supported");
    FAILS(TOKEN_ANSWER, DATA_ANSWER("16385") "APP_A=1",
          "the answer of 169.254.169.254 is larger than the 16 KiB that user data may have");
    snprintf(large, sizeof(large), "HTTP/1.1 200 OK\r\nX: %020000d\r\n\r\n", 1);
    FAILS(TOKEN_ANSWER, large, "the answer of 169.254.169.254 is larger than the 16 KiB that user data may have");
    CHECK(strcmp(problem_with(TOKEN_ANSWER, DATA_ANSWER("8") "APP_A=1\n", 1, 20 * NS_PER_MS),
                 "continuing without user data: no answer from 169.254.169.254 in time\n") == 0);
    CHECK(strcmp(problem_with(TOKEN_ANSWER, DATA_ANSWER("11") "APP_A=1\nB \n", SIZE_MAX, 0),
                 "none of the user data is used: line 2 is not NAME=VALUE\n") == 0);
    CHECK(strcmp(problem_with(TOKEN_ANSWER, DATA_ANSWER("4") "\x1f\x8b\x08x", SIZE_MAX, 0),
                 "the user data is not used: it is compressed; give lines of NAME=VALUE\n") == 0);
    /* Each run leaves the image's two lists, and nothing of the network. */
    CHECK_EQUAL(host_heap_blocks() - blocks, 17 * 2);
}

static void slow_services_are_heard_out(void)
{
    begin();
    start_service(TOKEN_ANSWER, DATA_ANSWER("12") "APP_A=later\n");
    service.piece = 10;
    service.pause = 20 * NS_PER_MS;
    configure();
    stop_service();
    CHECK_VALUE("APP_A", "later");
    CHECK(took > 200 * NS_PER_MS && took < 800 * NS_PER_MS);
}

static void lack_of_memory_is_survived(void)
{
    begin();
    start_service(TOKEN_ANSWER, DATA_ANSWER("12") "APP_A=later\n");
    for (uint64_t n = 1; n < 200 && strcmp(value_of("APP_A"), "later") != 0; n++) {
        begin();
        service.served = 0;
        memset(service.requests, 0, sizeof(service.requests));
        host_fail_allocation(n);
        configure();
        host_fail_allocation(0);
        if (service.connection != NULL)
            file_put(service.connection);
        service.connection = NULL;
        host_advance(300 * NS_PER_SECOND);
        CHECK(took <= NS_PER_SECOND);
        CHECK(strcmp(value_of("APP_A"), "later") == 0 || logged[0] != 0);
    }
    stop_service();
    CHECK_VALUE("APP_A", "later");
}

int main(void)
{
    host_init();
    wire_start();
    host_test("instance: sources are words", sources_are_words);
    host_test("instance: later sources win", later_sources_win);
    host_test("instance: requests are IMDSv2's", requests_are_version_2);
    host_test("instance: only what is allowed is taken", only_what_is_allowed_is_taken);
    host_test("instance: switches are words", switches_are_words);
    host_test("instance: switches that the image allows are set", switches_are_set_if_allowed);
    host_test("instance: other switches are refused", other_switches_are_refused);
    host_test("instance: bad values of switches are reported", bad_values_of_switches_are_reported);
    host_test("instance: nothing is asked unless wanted", nothing_is_asked_unless_wanted);
    host_test("instance: failures of the host are reported", failures_of_the_host_are_reported);
    host_test("instance: nobody answers", nobody_answers);
    host_test("instance: nobody listens", nobody_listens);
    host_test("instance: misbehaviour ends in time", misbehaviour_ends_in_time);
    host_test("instance: slow services are heard out", slow_services_are_heard_out);
    host_test("instance: lack of memory is survived", lack_of_memory_is_survived);
    return host_result();
}
