/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reader of HTTP answers: what it takes lies inside the answer, and no prefix of it is taken. */
#include <string.h>

#include "lib/types.h"
#include "net/http.h"

#define LIMIT 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_answer answer;
    char *exact = __builtin_malloc(size + 1);
    memcpy(exact, data, size);
    int whole = http_answer_read(exact, size, LIMIT, &answer);
    if (whole == 1 && (answer.body > size || answer.body_length > size - answer.body || answer.body_length > LIMIT ||
                       answer.status < 100 || answer.status > 999))
        __builtin_trap();
    if (whole == 1 && answer.body_length > 0 &&
        http_answer_read(exact, answer.body + answer.body_length - 1, LIMIT, &answer) != 0)
        __builtin_trap();
    __builtin_free(exact);
    return 0;
}
