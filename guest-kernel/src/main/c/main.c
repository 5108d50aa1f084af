/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of boot: platform -> memory and threads -> devices -> files -> network -> the process.
 *
 * kernel_main() is called by the platform's start and becomes the idle thread; what may sleep is done by the boot
 * thread (boot()), which ends when the process has been made ready. What the guest cannot do without ends the boot with
 * a panic that says what to change; a network without an address is only reported.
 *
 * The options and the configuration are written during boot and only read afterwards, so they have no lock.
 * network_changed() and write_network_files() are also called later, by the threads that learn of the network;
 * `network_files` is held while its files are written.
 */
#include "core/log.h"
#include "core/random.h"
#include "core/stack_guard.h"
#include "drivers/device.h"
#include "files/console.h"
#include "files/file.h"
#include "files/root.h"
#include "lib/errno.h"
#include "linux/configuration.h"
#include "linux/host_channel.h"
#include "linux/process.h"
#include "linux/profile_output.h"
#include "linux/restore.h"
#include "linux/signals.h"
#include "linux/system.h"
#include "memory/address_space.h"
#include "memory/page_cache.h"
#include "net/metadata.h"
#include "net/metrics.h"
#include "net/net.h"
#include "net/syslog.h"
#include "platform/platform.h"
#include "threads/console.h"
#include "threads/failing.h"
#include "threads/seed.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define NETWORK_TIMEOUT (30 * NS_PER_SECOND)
#define DHCP_CHANCE (6 * NS_PER_SECOND) /* questions after 0, 1 and 3 s, and time to answer the last one */
#define RESOLVER_FILE "/run/resolv.conf"
#define HOSTS_FILE "/run/hosts"
#define NETWORK_TEXT_SIZE 512

static struct boot_options options;
static struct configuration configuration;
static bool on_ec2;
static struct mutex network_files = MUTEX(network_files, LOCK_NETWORK_FILES);

void timing_mark(const char *phase, nanoseconds duration)
{
    if (options.timings)
        log_always("timing %s=%lu", phase, duration);
}

static void milestone(enum net_event event, nanoseconds when)
{
    timing_mark(event == NET_FIRST_LISTEN ? "listen" : "response", when - platform.entry_time);
}

/* `length` is that of the whole text, as format() returns. */
static void write_text(const char *path, const char *text, int length)
{
    int error = length < NETWORK_TEXT_SIZE ? file_write_kernel(path, text, (size_t)length) : -EOVERFLOW;
    if (error)
        log_error("cannot write %s (%s)", path, errno_name(error));
}

/* What the C library reads of the network: the name servers, and this machine's own name and address. Read under the
 * lock, so that who writes last writes what is so now. */
static void write_network_files(void)
{
    char text[NETWORK_TEXT_SIZE];
    struct net_configuration network;
    mutex_lock(&network_files);
    net_current(&network);
    write_text(RESOLVER_FILE, text, net_resolver_text(text, sizeof(text), &network));
    write_text(HOSTS_FILE, text, net_hosts_text(text, sizeof(text), &network, host_name));
    mutex_unlock(&network_files);
}

static void announce(const struct net_configuration *network)
{
    char address[IPV4_TEXT], gateway[IPV4_TEXT];
    ipv4_format(address, network->address);
    ipv4_format(gateway, network->gateway);
    if (options.timings || log_limit >= LOG_INFO)
        log_always("ready address=%s/%u gateway=%s", address, network->prefix, gateway);
}

/* EC2 User Guide, "Set the time for your instance": the Amazon Time Sync Service. */
static const ipv4_t ec2_time_server = 0xa9fea97b;

static void use_time_addresses(const ipv4_t *addresses, unsigned count)
{
    struct sntp_source sources[SNTP_SERVERS] = { 0 };
    for (unsigned i = 0; i < count; i++)
        sources[i].address = addresses[i];
    sntp_use(sources, count);
}

static void use_time_servers(const struct net_configuration *network)
{
    if (configuration.time == TIME_SERVERS)
        sntp_use(configuration.time_servers, configuration.time_server_count);
    else if (configuration.time == TIME_AUTO && network->time_server_count > 0)
        use_time_addresses(network->time_servers, network->time_server_count);
    else if (configuration.time == TIME_AUTO && on_ec2)
        use_time_addresses(&ec2_time_server, 1);
}

static void network_changed(const struct net_configuration *network)
{
    write_network_files();
    platform_report(EVENT_ADDRESS, network->address);
    if (network->address == IPV4_ANY)
        return;
    announce(network);
    use_time_servers(network);
}

static void start_static_network(void)
{
    struct net_configuration network;
    const char *problem;
    if (!net_parse_static(configuration.network_text, &network, &problem))
        panic("network static %s: %s", configuration.network_text, problem);
    if (net_configure_static(&network))
        panic("a network is configured but the guest has no network device; add a vif or use network none");
    network_changed(&network);
}

/* What leaves the machine besides the program's own packets. */
static void start_reporting(void)
{
    struct syslog_origin origin = { .host_name = host_name, .application = configuration.application };
    console_shows_output = configuration.log_on_console;
    if (configuration.log.host && !syslog_start(&configuration.log, &origin))
        panic("there is no memory for the log that is sent; give the machine more memory");
    if (configuration.metrics_port != 0)
        metrics_start(configuration.metrics_port);
}

/* DHCP goes on in every case. */
static void wait_for_address(nanoseconds now)
{
    struct net_configuration network;
    if (net_wait_any(now + DHCP_CHANCE, now + NETWORK_TIMEOUT)) {
        log_error("no DHCP answer in %lu s: continuing without an address; check the bridge or use network static",
                  NETWORK_TIMEOUT / NS_PER_SECOND);
        return;
    }
    net_current(&network);
    if (network.address == IPV4_ANY)
        log_info("no DHCP answer in %lu s: continuing with IPv6 alone", (clock_monotonic() - now) / NS_PER_SECOND);
}

/* The process starts only with its address: HotSpot and servers look it up once. Where there is IPv6, that of IPv4 is
 * waited for no longer than DHCP_CHANCE. */
static void start_network(void)
{
    net_init();
    net_milestone = milestone;
    net_urgent = signals_urgent;
    start_reporting();
    write_network_files();
    net_start_ipv6(&options.ipv6, write_network_files);
    if (configuration.network == NETWORK_STATIC)
        start_static_network();
    if (configuration.network != NETWORK_DHCP)
        return;
    if (net_configure_dhcp(host_name, network_changed)) {
        log_error("no network device: only loopback works; add a vif to the domain");
        return;
    }
    wait_for_address(clock_monotonic());
}

/* What this start is given from outside goes into the environment. */
static void configure_instance(void)
{
    nanoseconds started = clock_monotonic();
    struct net_configuration network;
    net_current(&network);
    struct instance instance = {
        .environment = &configuration.environment,
        .sources = configuration.sources,
        .diagnostics = configuration.diagnostics,
        .command_line = &options.environment,
        .network = network.address != IPV4_ANY,
    };
    instance_configure(&instance);
    if (configuration.no_instance_metadata)
        metadata_forbid();
    configuration.process.environment = string_list_array(&configuration.environment.variables);
    if (instance.metadata_service) {
        on_ec2 = true;
        use_time_servers(&network);
    }
    timing_mark("instance", clock_monotonic() - started);
}

static void mount_memory(void)
{
    for (unsigned i = 0; i < configuration.mount_count; i++) {
        const struct memory_mount *mount = &configuration.mounts[i];
        int error = mount->over_image ? files_make_writable(mount->path, mount->limit)
                                      : files_mount_memory(mount->path, mount->limit);
        if (error)
            panic("cannot mount memory on %s (%s): the directory must exist in the image", mount->path,
                  errno_name(error));
    }
}

static void mount_scratch(const struct block_device *root)
{
    int error = configuration.scratch ? files_mount_scratch(configuration.scratch, root) : 0;
    if (error)
        panic("the image needs a scratch disk for %s (%s); give the machine one, or build the image without it",
              configuration.scratch, errno_name(error));
}

static void mount_data_disks(const struct block_device *root)
{
    for (unsigned i = 0; i < configuration.data_disk_count; i++) {
        const struct data_disk *disk = &configuration.data_disks[i];
        int error = files_mount_data(disk->label, disk->path, disk->read_only, root);
        if (error)
            panic("the image needs the data disk %s on %s (%s); give the machine that disk, or build the image without "
                  "it",
                  disk->label, disk->path, errno_name(error));
    }
}

static struct block_device *find_root(void)
{
    struct block_device *root = root_find(options.root_is_named ? &options.root : NULL);
    if (!root && !block_device_at(0))
        panic("no root disk: give the machine the image as a disk");
    if (!root)
        panic("no disk has the file system that root=UUID= names: give the machine the image that belongs to it");
    return root;
}

static void start_program(void)
{
    int error = files_prepare_process(configuration.process.directory);
    if (!error)
        error = process_start(&configuration.process);
    if (error == -ENOMEM)
        panic("%s does not fit into the memory that is free, %lu MiB; give the machine more memory",
              configuration.process.path, pages_free_count() * PAGE_SIZE >> 20);
    if (error)
        panic("cannot start %s (%s); build the image again", configuration.process.path, errno_name(error));
}

static void boot(void *unused)
{
    (void)unused;
    seed_wait();
    address_space_init();
    struct block_device *root = find_root();
    int error = files_init(root);
    if (error)
        panic("cannot mount %s as root (%s): it must be the ext2 image", root->name, errno_name(error));
    if (configuration_read(options.configuration_path, &configuration))
        panic("the configuration is not usable; build the image again");
    mount_memory();
    mount_scratch(root);
    mount_data_disks(root);
    start_network();
    restore_start();
    configure_instance();
    timing_mark("kernel", clock_monotonic() - platform.entry_time);
    nanoseconds started = clock_monotonic();
    start_program();
    timing_mark("exec", clock_monotonic() - started);
    failing_start();
    profile_output_start();
    host_channel_start();
    thread_exit();
}

void kernel_main(void)
{
    random_init();
    stack_guard_init();
    threads_init();
    page_cache_init();
    boot_options_parse(&options);
    log_info("%s, %lu MiB", platform.name, platform.memory_bytes >> 20);
    log_info("protections: %s", platform.protections[0] ? platform.protections : "none");
    platform_start_devices();
    console_thread_start();
    cpus_start();
    log_info("%u of %u CPUs", cpus_online, platform.cpus);
    thread_start_kernel("boot", boot, NULL);
    idle_loop();
}
