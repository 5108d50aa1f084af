/* SPDX-License-Identifier: Apache-2.0 */
/* Reading HTTP answers: whole, in every two pieces, damaged, and larger than they may be. */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "lib/errno.h"
#include "net/http.h"

#define LIMIT 200

/* The sanitizer sees every byte that is read beyond the end. */
static int read_exact(const char *text, size_t length, size_t limit, struct http_answer *out)
{
    char *exact = malloc(length + 1);
    memcpy(exact, text, length);
    exact = realloc(exact, max_of(length, (size_t)1));
    int result = http_answer_read(exact, length, limit, out);
    free(exact);
    return result;
}

static void answers_arrive_in_pieces(void)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nServer: EC2ws\r\ncontent-LENGTH: \t5 \r\n\r\nA=b\nc";
    struct http_answer answer;
    size_t length = sizeof(text) - 1;
    for (size_t i = 0; i < length; i++)
        CHECK_EQUAL(read_exact(text, i, LIMIT, &answer), 0);
    CHECK_EQUAL(read_exact(text, length, LIMIT, &answer), 1);
    CHECK_EQUAL(answer.status, 200);
    CHECK_EQUAL(answer.body_length, 5);
    CHECK(memcmp(text + answer.body, "A=b\nc", 5) == 0);
}

static void only_good_answers_have_a_body(void)
{
    struct http_answer answer;
    static const char missing[] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK_EQUAL(read_exact(missing, sizeof(missing) - 1, LIMIT, &answer), 1);
    CHECK_EQUAL(answer.status, 404);
    CHECK_EQUAL(answer.body_length, 0);
    static const char moved[] = "HTTP/1.0 301\nLocation: http://10.0.0.1/\n\n";
    CHECK_EQUAL(read_exact(moved, sizeof(moved) - 1, LIMIT, &answer), 1);
    CHECK_EQUAL(answer.status, 301);
}

static void bad_answers_are_refused(void)
{
    static const struct {
        const char *text;
        int expected;
    } cases[] = {
        { "SSH-2.0-OpenSSH_9.2\r\n", -EBADMSG },
        { "HTTP/2 200\r\n\r\n", -EBADMSG },
        { "HTTP/1.1 20x OK\r\n", -EBADMSG },
        { "HTTP/1.1 2000 OK\r\n", -EBADMSG },
        { "HTTP/1.1 099 OK\r\n", -EBADMSG },
        { "\r\n\r\n", -EBADMSG },
        { "HTTP/1.1 200 OK\r\nno colon\r\n", -EBADMSG },
        { "HTTP/1.1 200 OK\r\n: nameless\r\n", -EBADMSG },
        { "HTTP/1.1 200 OK\r\nContent-Length:\r\n", -EBADMSG },
        { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", -EBADMSG },
        { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", -EBADMSG },
        { "HTTP/1.1 200 OK\r\n\r\n", -EBADMSG },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -EOPNOTSUPP },
        { "HTTP/1.1 200 OK\r\nContent-Length: 201\r\n\r\n", -EMSGSIZE },
        { "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\n", -EMSGSIZE },
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_answer answer;
        CHECK_EQUAL(read_exact(cases[i].text, strlen(cases[i].text), LIMIT, &answer), cases[i].expected);
    }
}

static void headers_end_somewhere(void)
{
    static char text[2 * HTTP_HEADER_MAX] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    struct http_answer answer;
    size_t length = strlen(text);
    memset(text + length, 'x', sizeof(text) - length);
    CHECK_EQUAL(read_exact(text, HTTP_HEADER_MAX - 1, LIMIT, &answer), 0);
    CHECK_EQUAL(read_exact(text, HTTP_HEADER_MAX, LIMIT, &answer), -EMSGSIZE);
}

int main(void)
{
    host_init();
    host_test("http: answers arrive in pieces", answers_arrive_in_pieces);
    host_test("http: only good answers have a body", only_good_answers_have_a_body);
    host_test("http: bad answers are refused", bad_answers_are_refused);
    host_test("http: headers end somewhere", headers_end_somewhere);
    return host_result();
}
