/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the host shim. */
#pragma once

void host_memory_init(void);
void host_threads_init(void);
