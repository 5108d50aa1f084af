// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A Xen host: shell scripts in place of xl and the clients of xenstore, which refuse what those would refuse. Its
 * domains are directories; the program of each is whatever listens on 127.0.0.1.
 */
public final class FakeXen {

    private static final String XL = """
            cd "$(dirname "$0")" || exit
            fail() { echo "$*"; exit 1; }
            event() { [ ! -p "$1/watched" ] || { exec 8<>"$1/watched"; echo "$2" >&8; }; }
            report() { echo "$3" >"$1/$2"; event "$1" "/local/domain/$(cat "$1/id")/data/unikernel/$2"; }
            domain() { [ -d "domain-$1" ] || fail "$1 is an invalid domain identifier"; home=domain-$1; }
            read -r process name state parent group others <"/proc/$$/stat"
            echo "$group" >>groups
            case $1 in list | domid) ;; *) echo "$*" | sed 's/ [^ ]*[.]xl[.]cfg/ CONFIG/' >>calls ;; esac
            case $1 in
            info)
                printf 'host                   : here\nxen_version            : 4.17.5\nxen_caps : xen-3.0-x86_64\n' ;;
            create | restore)
                [ "$2" = -p ] && [ "$(stat -c %a "$3")" = 600 ] || fail "usage: $*"
                name=$(sed -n 's/^name = "\\(.*\\)"$/\\1/p' "$3" | tail -n 1)
                [ ! -e refuses ] || fail "not enough free memory"
                [ ! -e "domain-$name" ] || fail "Domain with name \"$name\" already exists."
                [ "$1" = create ] || grep -q '^memory of ' "$4" || fail "Not a saved domain"
                echo . >>ids
                mkdir "domain-$name"
                wc -l <ids >"domain-$name/id"
                cp "$3" "domain-$name/config"
                echo "$1" >"domain-$name/origin"
                echo - >"domain-$name/reason"
                ;;
            domid) domain "$2"; cat "$home/id" ;;
            unpause)
                domain "$2"
                [ -p "$home/watched" ] || fail "the domain runs before it is watched"
                report "$home" address 2130706433
                if [ "$(cat "$home/origin")" = restore ]; then
                    report "$home" restored 1
                else
                    report "$home" listening 8080
                fi
                ;;
            console)
                domain "$2"
                printf 'Here is %s\\r\\n' "$2"
                while [ -d "$home" ]; do sleep 0.1; done
                ;;
            list)
                [ "$2" = -v ] && [ -d "domain-$3" ] || exit 1
                echo 'Name ID Mem VCPUs State Time(s) UUID Reason-Code Security Label'
                echo "$3 $(cat "domain-$3/id") 96 1 ------ 0.1 a-b-c $(cat "domain-$3/reason") -"
                ;;
            save)
                [ "$2" = -c ] || fail "usage: $*"
                domain "$3"
                [ "$(stat -c %a "$4")" = 600 ] || fail "others can read $4"
                echo 2 >"$home/reason"
                event "$home" @releaseDomain
                [ ! -e full ] || { echo - >"$home/reason"; fail "No space left on device"; }
                echo "memory of $3" >"$4"
                echo - >"$home/reason"
                ;;
            shutdown)
                domain "$2"
                report "$home" exit 143
                echo 0 >"$home/reason"
                event "$home" @releaseDomain
                ;;
            destroy)
                domain "$2"
                mv "$home" "gone-$2-$(cat "$home/id")"
                event "gone-$2-"* @releaseDomain
                ;;
            *) fail "command $1 is not known" ;;
            esac
            """;
    private static final String WATCH = """
            cd "$(dirname "$0")" || exit
            [ $# = 2 ] && [ "$1" = @releaseDomain ] || exit 2
            id=${2#/local/domain/} id=${id%/data/unikernel}
            for home in domain-*; do
                [ "$(cat "$home/id")" != "$id" ] || break
            done
            mkfifo "$home/watched"
            exec 3<>"$home/watched"
            printf '%s\\n' "$1" "$2"
            exec cat <&3
            """;
    private static final String READ = """
            cd "$(dirname "$0")" || exit
            id=${1#/local/domain/} id=${id%%/*}
            for home in domain-*; do
                [ "$(cat "$home/id")" != "$id" ] || exec cat "$home/${1##*/}"
            done
            exit 1
            """;

    private final Path directory;

    /** A host without domains, in a directory that is empty. */
    public FakeXen(Path directory) throws IOException {
        this.directory = directory;
        Scripts.write(directory.resolve("xl"), XL);
        Scripts.write(directory.resolve("xenstore-watch"), WATCH);
        Scripts.write(directory.resolve("xenstore-read"), READ);
        for (String file : List.of("hello.img", "hello.kernel")) {
            Files.writeString(directory.resolve(file), file);
        }
        Files.writeString(directory.resolve("hello.xl.cfg"), "name = \"hello\"\nmemory = 64\n");
        Files.writeString(directory.resolve("calls"), "");
    }

    /** The host as the plugin sees it. */
    public Xl xl() {
        return new Xl(directory + ":" + System.getenv("PATH"));
    }

    /** From now on no domain can be made. */
    public void refuse() throws IOException {
        Files.writeString(directory.resolve("refuses"), "");
    }

    /** From now on there is no room for a saved domain. */
    public void fill() throws IOException {
        Files.writeString(directory.resolve("full"), "");
    }

    /** The words of all calls of xl that ask for something to be done, in order. */
    public List<String> calls() throws IOException {
        return Files.readAllLines(directory.resolve("calls"));
    }

    /** The process groups of all calls of xl (proc_pid_stat(5)). */
    public List<String> groups() throws IOException {
        return Files.readAllLines(directory.resolve("groups"));
    }

    /** The configuration with which a domain that is there was made. */
    public String config(String domain) throws IOException {
        return Files.readString(directory.resolve("domain-" + domain).resolve("config"));
    }

    /** Whether there is such a domain. */
    public boolean has(String domain) {
        return Files.exists(directory.resolve("domain-" + domain));
    }

    /** An image that is for this host. */
    public BuiltImage image() throws Exception {
        return new BuiltImage(
                "hello",
                directory.resolve("hello.img"),
                directory.resolve("hello.kernel"),
                directory.resolve("hello.xl.cfg"),
                false,
                KernelCommandLine.parse("quiet"),
                128,
                1,
                NetworkSetting.parse("dhcp"),
                0,
                List.of(),
                0,
                0,
                null,
                null,
                null,
                null);
    }
}
