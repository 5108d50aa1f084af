/* platform.h: platform_settings(), from the domain's directory in xenstore. Needs xenbus_init(). */
#pragma once

#include "platform/platform.h"

must_check int xen_settings(platform_setting_visit *visit, void *context);
