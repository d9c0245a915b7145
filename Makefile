# SPDX-License-Identifier: MIT
# Builds, tests and installs Distributex: GNU make, one file, no recursion.
# 'make help' lists the targets and variables. This file includes config.mk, which
# ./configure writes; make brings config.mk up to date first and starts over, so
# 'make run' and 'make check' set up a bare machine by themselves.

.DELETE_ON_ERROR:
.SUFFIXES:
SHELL = /bin/sh
MAKEFLAGS += -rR -j$(shell nproc 2>/dev/null || echo 1)

SAN =
WERROR =
V =
COVER =
DEPS = build test

# make -n makes config.mk nonetheless, but must install nothing.
dry_run := $(findstring n,$(firstword -$(MAKEFLAGS)))

# --- goals ------------------------------------------------------------------
goals := $(or $(MAKECMDGOALS),all)
default: all

# These goals need no config.mk, and so work before there is a compiler.
packages_goals := deb check-deb check-systemd
plain_goals := deps deps-browser help clean distclean dist format check-fresh $(packages_goals)
configured := $(filter-out $(plain_goals),$(goals))

ifneq ($(filter lint lint-quick,$(goals)),)
DEPS += lint
MAKEFLAGS += -k
endif
ifneq ($(filter $(packages_goals),$(goals)),)
DEPS += deb
endif
ifneq ($(filter check-fresh,$(goals)),)
DEPS = fresh
endif
ifneq ($(filter cover,$(goals)),)
DEPS += cover
COVER = 1
endif
ifneq ($(filter fuzz,$(goals)),)
DEPS += fuzz
FUZZ = 1
SAN = address,undefined
ifneq ($(filter default undefined,$(origin CXX)),)
CXX = clang++
endif
endif
ifneq ($(filter fuzz-http,$(goals)),)
SAN = address,undefined
endif
ifneq ($(filter bench bench-cost bench-etcd bench-flat,$(goals)),)
DEPS += bench cost
endif
ifneq ($(filter mutants,$(goals)),)
DEPS += mutants
endif
ifneq ($(filter clean distclean,$(goals)),)
.NOTPARALLEL:
endif

ifneq ($(configured),)
include config.mk
endif

# These goals install packages first: config.mk waits for 'deps' (order-only), and is
# made anew only when its real prerequisites have changed.
ifneq ($(filter run check check-etcd check-browser lint lint-quick cover bench bench-cost bench-etcd bench-flat scale fuzz fuzz-http soak mutants,$(goals)),)
config.mk config.status configure: | deps
endif

configure: configure.ac
	$(say) AUTOCONF $@
	@command -v autoconf >/dev/null || { echo "autoconf is missing: 'make deps' installs what is needed" >&2; exit 1; }
	$(at)autoconf

# ./configure must not keep the variables of this run of make: only those that somebody
# gives to ./configure by hand are for lasting.
neutral = env -u CXX -u CPPFLAGS -u CXXFLAGS -u LDFLAGS -u MAKEFLAGS
config.status: configure
	$(say) CONFIGURE config.mk
	$(at)if [ -x $@ ]; then $(neutral) ./$@ -q --recheck; else $(neutral) ./configure -q; fi

config.mk: config.mk.in config.status
	$(at)$(neutral) ./config.status -q $@

.PHONY: deps
deps:
	@$(if $(dry_run),: )$(if $(strip $(DEPS)),tools/deps.sh $(DEPS))

# --- flags ------------------------------------------------------------------
# The command line and the environment come first, then what ./configure was
# given, then our defaults.
ifneq ($(filter default undefined,$(origin CXX)),)
CXX = $(CONFIG_CXX)
endif
ifeq ($(origin CPPFLAGS),undefined)
CPPFLAGS = $(CONFIG_CPPFLAGS)
endif
ifeq ($(origin LDFLAGS),undefined)
LDFLAGS = $(CONFIG_LDFLAGS)
endif
optimise = $(if $(SAN)$(COVER),-O1,-O2)
# -g1 names functions and lines. Variables as well (-g) make each test program four times
# as large, and linking them all takes longer than compiling them.
ifeq ($(origin CXXFLAGS),undefined)
CXXFLAGS = $(or $(CONFIG_CXXFLAGS),$(optimise) -g1)
endif
AR = ar

warnings = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wold-style-cast -Wswitch-enum -Wformat=2 -Wcast-qual -Wcast-align -Wundef -Wvla \
	-Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wmissing-declarations \
	-Wredundant-decls $(if $(findstring clang,$(compiler_name)),,$(gcc_warnings)) $(if $(WERROR),-Werror)
# gcc 12 takes the storage of an empty std::optional for a variable that is never set.
gcc_warnings = -Wno-maybe-uninitialized -Wlogical-op -Wduplicated-cond

# glibc fortifies only what is optimised, and warns about anything else.
fortify = $(if $(filter -O1 -O2 -O3 -Os,$(CXXFLAGS)),$(if \
	$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CXXFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
# -z now fills the table of addresses at the start: calls can go straight through it.
hardening = $(if $(SAN)$(COVER),,$(fortify) -fstack-protector-strong -fstack-clash-protection -fno-plt)
sanitizers = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
fuzzing = $(if $(FUZZ),-fsanitize=fuzzer-no-link)
coverage = $(if $(COVER),--coverage -fprofile-update=atomic)

defines = -D_GNU_SOURCE -D_GLIBCXX_ASSERTIONS -DDISTRIBUTEX_VERSION='"$(VERSION)"' \
	-DSYSCONFDIR='"$(sysconfdir)"'
system_includes = $(filter-out -isystem/usr/include/%-linux-gnu,$(sort $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) \
	$(YAML_CFLAGS) $(JANSSON_CFLAGS) $(MEMCACHED_CFLAGS) $(SQLITE_CFLAGS) $(CURL_CFLAGS) $(PROMETHEUS_CFLAGS) $(CMOCKA_CFLAGS)))
language = -std=c++20 -pthread $(defines) -Isrc $(if $(filter tests/% fuzz/% soak/% bench/%,$<),-Itests) $(if $(filter sim/% tests/sim/%,$<),-I.) $(system_includes)
cxxflags = $(language) -fPIE $(warnings) $(hardening) $(sanitizers) $(fuzzing) $(coverage) $(CPPFLAGS) $(CXXFLAGS)
ldflags = -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(sanitizers) $(coverage) $(CXXFLAGS) $(LDFLAGS)

daemon_libs = $(EVENT_LIBS) $(OPENSSL_LIBS) $(YAML_LIBS) $(JANSSON_LIBS) $(MEMCACHED_LIBS) -lhashkit $(SQLITE_LIBS) $(PROMETHEUS_LIBS) $(CURL_LIBS)
client_libs = $(CURL_LIBS) $(JANSSON_LIBS)
test_libs = $(CMOCKA_LIBS) $(daemon_libs)

# --- where objects go -------------------------------------------------------
# One folder for each compiler and kind of build. Every object depends on the file
# 'flags' there, so that other flags than last time rebuild the folder.
comma := ,
empty :=
space := $(empty) $(empty)
san_names = $(patsubst address,asan,$(patsubst undefined,ubsan,$(patsubst thread,tsan,$(subst $(comma), ,$(SAN)))))
compiler_name = $(subst ++,xx,$(patsubst clang++%,clang%,$(patsubst g++%,gcc%,$(notdir $(lastword $(CXX))))))
O := build/$(subst $(space),-,$(strip $(compiler_name) $(san_names) $(if $(COVER),cover) $(if $(FUZZ),fuzz) $(if $(WERROR),werror)))

ifneq ($(CONFIG_CXX),)
all_flags := $(CXX) $(cxxflags) | $(ldflags)
ifneq ($(file <$O/flags),$(all_flags))
$(shell mkdir -p $O)
$(file >$O/flags,$(all_flags))
endif
endif

at = $(if $(V),,@)
say = @$(if $(V),:,printf '  %-9s %s\n')

# --- programs ---------------------------------------------------------------
object = $(patsubst %.cpp,$O/%.o,$(1))

# Sources are found by folder: src/ROOM and src/ROOM/PART. The library has all sources
# but the client's and the two mains.
client_main := src/client/main.cpp
daemon_main := src/daemon/main.cpp
client_parts := $(filter-out $(client_main),$(wildcard src/client/*.cpp))
library_sources := $(filter-out src/client/% $(daemon_main),$(wildcard src/*/*.cpp src/*/*/*.cpp))
library := $O/libdistributex.a
programs := $O/distributexd $O/distributex

# The plain programs are where README and scripts look for them.
.PHONY: all
all: $(library) $(programs)
ifeq ($(SAN)$(COVER),)
	@for program in $(programs); do ln -f $$program build/; done
endif

$O/%.o: %.cpp $O/flags
	$(say) CXX $<
	@mkdir -p $(@D)
	$(at)$(CXX) $(cxxflags) -MMD -MP -c -o $@ $<

# The page for people is part of the daemon.
$O/page_html.cpp: src/doors/pages/page.html tools/embed-page.sh $O/flags
	$(say) EMBED $<
	$(at)tools/embed-page.sh $< >$@

$O/page_html.o: $O/page_html.cpp src/doors/pages/page.h
	$(say) CXX $<
	$(at)$(CXX) $(cxxflags) -c -o $@ $<

$(library): $(call object,$(library_sources)) $O/page_html.o $O/flags
	$(say) AR $@
	$(at)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

$O/distributexd: $(call object,$(daemon_main)) $(library)
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $^ $(daemon_libs)

$O/distributex: $(call object,$(client_main) $(client_parts)) $(library)
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $^ $(client_libs)

# --- tests ------------------------------------------------------------------
# A test program is tests/ROOM/test_NAME.cpp; TESTS chooses by name: wire/test_verbs,
# wire/verbs, or wire for all of a room.
test_sources := $(wildcard tests/*/test_*.cpp tests/*/*/test_*.cpp)
test_scripts := $(wildcard tests/*/test_*.sh tools/check-*.sh)
support_objects := $(call object,$(filter-out tests/support/test_%,$(wildcard tests/support/*.cpp)))
TESTS = %
# Ends a program that hangs. Those that work need a tenth of it, even on a busy machine.
TEST_TIMEOUT = $(if $(SAN)$(COVER),1200,600)

spellings = tests/$(1) tests/$(1)/% tests/$(patsubst ./%,%,$(dir $(1)))test_$(notdir $(1)) tools/$(1)
chosen = $(foreach test,$(1),$(if $(filter $(foreach name,$(TESTS),$(call spellings,$(name))),$(basename $(test))),$(test)))
chosen_programs = $(patsubst %.cpp,$O/%,$(call chosen,$(test_sources)))
chosen_scripts = $(call chosen,$(test_scripts))

test_link = $(at)$(CXX) $(ldflags) -o $@ $^ $(test_libs)
# Test programs of the client are linked with the client's parts.
$O/tests/client/test_%: $O/tests/client/test_%.o $(support_objects) $(call object,$(client_parts)) $(library)
	$(say) LD $@
	$(test_link)

# Test programs of the simulation are linked with all of it but its main.
sim_main := sim/scale.cpp
sim_parts := $(filter-out $(sim_main),$(wildcard sim/*.cpp))
$O/tests/sim/test_%: $O/tests/sim/test_%.o $(support_objects) $(call object,$(sim_parts)) $(library)
	$(say) LD $@
	$(test_link)

$(patsubst %.cpp,$O/%,$(filter-out tests/client/% tests/sim/%,$(test_sources))): %: %.o $(support_objects) $(library)
	$(say) LD $@
	$(test_link)

# Libraries that tests preload into the programs. They are built without sanitizers,
# because they may be loaded before a sanitizer's own library.
preloads := $(patsubst %.cpp,$O/%.so,$(wildcard tests/support/preload/*.cpp))
$O/%.so: %.cpp $O/flags
	$(say) LD $@
	@mkdir -p $(@D)
	$(at)$(CXX) $(language) $(warnings) -O1 -g -fPIC -shared -MMD -MP -MF $@.d -o $@ $<

# Compiles every header alone. Not repeated with sanitizers or coverage, which would find
# the same.
headers := $(patsubst %,$O/%.alone,$(wildcard src/*/*.h src/*/*/*.h tests/*/*.h sim/*.h))
$O/%.h.alone: %.h $O/flags
	$(say) HEADER $<
	@mkdir -p $(@D)
	$(at)echo '#include "$(patsubst tests/%,%,$(patsubst src/%,%,$<))"' | $(CXX) $(cxxflags) -Itests -MMD -MP -MT $@ -MF $@.d -c -o $@ -x c++ -

.PHONY: tests check
tests: $(programs) $(if $(SAN)$(COVER),,$(headers)) $(chosen_programs) $(preloads)

check: deps tests
	@$(if $(JOBS),JOBS=$(JOBS)) DISTRIBUTEXD=$(abspath $O/distributexd) DISTRIBUTEX=$(abspath $O/distributex) TOP=$(CURDIR) SAN=$(SAN) \
		TEST_TIMEOUT=$(TEST_TIMEOUT) tools/run-tests.sh $O/tests/log $(chosen_programs) $(chosen_scripts)

# Daemons over real etcd clusters while members and daemons fail: minutes.
etcd_programs := $(patsubst %.cpp,$O/%,$(wildcard tests/backends/etcd/long_*.cpp))
$(etcd_programs): %: %.o $(support_objects) $(library)
	$(say) LD $@
	$(test_link)

.PHONY: check-etcd
check-etcd: deps $(programs) $(etcd_programs)
	@DISTRIBUTEXD=$(abspath $O/distributexd) DISTRIBUTEX=$(abspath $O/distributex) TOP=$(CURDIR) SAN=$(SAN) \
		JOBS=1 TEST_TIMEOUT=1200 tools/run-tests.sh $O/tests/log-etcd $(etcd_programs)

# The page in a real browser: not part of check, because it needs a browser and npm.
CHROMIUM = $(or $(shell command -v chromium || command -v chromium-browser || command -v google-chrome),/usr/bin/chromium)
driver := tests/browser/node_modules/playwright-core

.PHONY: deps-browser check-browser
deps-browser:
	@tools/deps.sh browser $$(command -v npm >/dev/null || echo npm)
	@cd tests/browser && npm ci --no-audit --no-fund

check-browser: deps $O/distributexd
	@[ -x "$(CHROMIUM)" ] || { echo "check-browser: there is no chromium ('make deps-browser' installs it; or say CHROMIUM=/path/to/it)" >&2; exit 1; }
	@[ -d $(driver) ] || { echo "check-browser: $(driver) is missing: 'make deps-browser' installs it" >&2; exit 1; }
	@node tests/browser/check.mjs $O/distributexd "$(CHROMIUM)" build/browser

.PHONY: run
run: deps all
	@echo "Listening on http://localhost:9889. Try, in another terminal:"
	@echo "  curl 'http://localhost:9889/get/?host=me&pool=test1'"
	@mkdir -p build/run
	@exec $O/distributexd -c etc/example.yaml

.SECONDARY: $(call object,$(test_sources)) $(support_objects)

# --- fuzz -------------------------------------------------------------------
# The goal 'fuzz' makes this whole run a build of its own (FUZZ=1 above). Findings and
# new inputs of the corpora stay in build/fuzz.
FUZZ_SECS = 60
fuzz_names := $(patsubst fuzz/fuzz_%.cpp,%,$(wildcard fuzz/fuzz_*.cpp))
FUZZERS = $(fuzz_names)
fuzz_worlds := $(call object,$(patsubst %,tests/support/%.cpp,model_world slow_world stored_world oracle oracle_orders slow_backend witness))

$O/fuzz/fuzz_engine: $(fuzz_worlds)
$O/fuzz/fuzz_brief: $(call object,tests/support/two_ways.cpp)
$O/fuzz/fuzz_handshake: $(call object,tests/support/authority.cpp tests/support/client_hello.cpp)
$O/fuzz/fuzz_access: $(call object,tests/support/access_model.cpp)
$O/fuzz/fuzz_%: $O/fuzz/fuzz_%.o $(library)
	$(say) LD $@
	$(at)$(CXX) -fsanitize=fuzzer $(ldflags) -o $@ $(filter %.o,$^) $(library) $(daemon_libs)

.SECONDARY: $(fuzz_names:%=$O/fuzz/fuzz_%.o)

.PHONY: fuzz
fuzz: deps $(FUZZERS:%=$O/fuzz/fuzz_%)
	@FUZZ_SECS=$(FUZZ_SECS) fuzz/run.sh $O/fuzz build/fuzz $(FUZZERS)

# The daemon as a whole, over HTTP. FUZZ_HTTP_SECS and FUZZ_HTTP_SEED are read by
# fuzz/http.cpp.
http_support := $(call object,$(patsubst %,tests/support/%.cpp,daemon http metrics status))

$O/fuzz/http: $(call object,$(wildcard fuzz/http*.cpp)) $(http_support) $O/flags
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $(filter %.o,$^) $(JANSSON_LIBS)

.PHONY: fuzz-http
fuzz-http: deps $O/distributexd $O/fuzz/http
	@DISTRIBUTEXD=$(abspath $O/distributexd) $O/fuzz/http fuzz/corpus/http build/fuzz

# --- bench ------------------------------------------------------------------
# BENCH_ROUNDS, BENCH_SECS and the like are read by bench/run.sh.
$O/bench/load: $(call object,$(wildcard bench/load*.cpp)) $O/flags
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $(filter %.o,$^) $(OPENSSL_LIBS) $(shell pkg-config --libs libpq 2>/dev/null)

$O/bench/bare: $O/bench/bare.o $O/flags
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $(filter %.o,$^) $(EVENT_LIBS)

.PHONY: bench
bench: deps $O/distributexd $O/bench/load $O/bench/bare
	@bench/run.sh $O build/bench

# Two daemons over etcd, beside the recipe of etcdctl lock; see bench/etcd.cpp.
etcd_support := $(call object,$(patsubst %,tests/support/%.cpp,daemon etcd http memcached status))
$O/bench/etcd: $(call object,$(wildcard bench/etcd*.cpp)) $O/bench/load_net.o $O/bench/load_channel.o $(etcd_support) $(library)
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $(filter %.o,$^) $(library) $(daemon_libs)

.PHONY: bench-etcd
bench-etcd: deps $O/distributexd $O/bench/etcd
	@DISTRIBUTEXD=$(abspath $O/distributexd) $O/bench/etcd

# Counts, not times, beside those that bench/cost.txt records.
.PHONY: bench-cost
bench-cost: deps $O/distributexd $O/bench/load
	@bench/cost.sh $O build/bench-cost bench/cost.txt

# Whether a pair of get and release costs the same with many pools, leases or waiters.
# FLAT_ROWS and FLAT_MOST are read by bench/flat.sh.
.PHONY: bench-flat
bench-flat: deps $O/distributexd $O/bench/load
	@bench/flat.sh $O build/bench-flat

# --- scale ------------------------------------------------------------------
# SCALE is read by sim/scale.cpp: SCALE="seed=2 part=10".
$O/sim/scale: $(call object,$(sim_main) $(sim_parts)) $(library)
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $^ $(daemon_libs)

.PHONY: scale
scale: deps $O/sim/scale
	@$O/sim/scale cost=bench/cost.txt $(SCALE)

# --- soak -------------------------------------------------------------------
# SOAK_MINS, SOAK_SEED and the like are read by soak/soak.cpp.
soak_support := $(call object,$(patsubst %,tests/support/%.cpp,daemon history http memcached metrics status))

$O/soak/soak: $(call object,$(wildcard soak/*.cpp)) $(soak_support) $O/flags
	$(say) LD $@
	$(at)$(CXX) $(ldflags) -o $@ $(filter %.o,$^) $(JANSSON_LIBS)

.PHONY: soak
soak: deps $(programs) $O/soak/soak
	@DISTRIBUTEXD=$(abspath $O/distributexd) DISTRIBUTEX=$(abspath $O/distributex) SAN=$(SAN) $O/soak/soak

# --- mutants ----------------------------------------------------------------
# MUTANTS, MUTANTS_SEED and MUTANTS_IN are read by tools/mutants.py.
.PHONY: mutants
mutants: deps tests
	@BUILT=$O CXX="$(CXX)" tools/mutants.py

# --- lint -------------------------------------------------------------------
# A stamp for each file, so that only changed files are checked again.
code_dirs := src/* src/*/* tests/* tests/*/* bench fuzz sim soak
code := $(wildcard $(code_dirs:%=%/*.cpp))
code_headers := $(wildcard $(code_dirs:%=%/*.h))
scripts := $(wildcard tools/*.sh tests/*/*.sh bench/*.sh fuzz/*.sh) .ci/run \
	$(wildcard debian/*.init debian/*.postinst debian/*.postrm debian/tests/service debian/tests/client)
tidy_stamps := $(patsubst %,build/lint/%.tidy,$(code))
format_stamps := $(patsubst %,build/lint/%.format,$(code) $(code_headers))
# Tests get no checks that take minutes, nor those that cmocka's macros fail.
tidy_checks = $(if $(filter src/%,$<),,--checks='-clang-analyzer-*,-cert-err34-c,-performance-*,-readability-function-size')
lint_log = >$@.log 2>&1 && mv $@.log $@ || { cat $@.log; exit 1; }

.PHONY: lint lint-quick
lint: lint-quick $(tidy_stamps) build/lint/odr/daemon
lint-quick: deps $(format_stamps) build/lint/cppcheck build/lint/shellcheck

# 16 is the first clang-format that inserts braces; Debian 12's own is 14.
clang_format = $(firstword $(shell command -v clang-format-16 clang-format))

# The order-only prerequisite 'deps' installs the tools; it makes no stamp anew.
build/lint/%.format: % .clang-format | deps
	@mkdir -p $(@D)
	$(say) FORMAT $<
	$(at)$(clang_format) --dry-run -Werror $< $(lint_log)

.PHONY: format
format:
	$(at)$(clang_format) -i $(code) $(code_headers)

build/lint/%.tidy: % .clang-tidy $(code_headers) config.mk | deps
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(at)clang-tidy --quiet $(tidy_checks) $< -- $(language) $(lint_log)

# cppcheck 2.10 takes "[" + text for a truth value, fails to read 5s, and believes that
# parse_whole() keeps a reference to its argument.
cppcheck_mistakes = incorrectStringBooleanError cppcheckError missingIncludeSystem invalidLifetime:src/base/text.h

build/lint/cppcheck: $(code) $(code_headers) config.mk | deps
	@mkdir -p build/lint/cppcheck.dir
	$(say) CPPCHECK "src tests"
	$(at)cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability \
		--inline-suppr $(cppcheck_mistakes:%=--suppress=%) --error-exitcode=1 -j 2 \
		--cppcheck-build-dir=build/lint/cppcheck.dir $(defines) -Isrc -Itests $(code) $(lint_log)

# Two types of one name in two files are one to the linker. Only the optimiser at link
# time compares them; what it makes is not used.
odr_objects := $(patsubst %.cpp,build/lint/odr/%.o,$(library_sources) $(daemon_main))
build/lint/odr/%.o: %.cpp $(code_headers) config.mk | deps
	@mkdir -p $(@D)
	$(say) ODR $<
	$(at)g++ $(language) -w -O0 -flto -c -o $@ $<

build/lint/odr/daemon: $(odr_objects) $O/page_html.o
	$(say) ODR $@
	$(at)g++ -O0 -flto=auto -Werror=odr -o $@ $^ $(daemon_libs)

build/lint/shellcheck: $(scripts) | deps
	@mkdir -p $(@D)
	$(say) SHCHECK "$(scripts)"
	$(at)shellcheck -x $(scripts) $(lint_log)

# --- coverage ---------------------------------------------------------------
# The goal 'cover' makes this whole run a build of its own (COVER=1 above).
.PHONY: cover
cover: check
	@mkdir -p build/cover
	$(say) GCOVR build/cover/index.html
	$(at)gcovr --root . --object-directory $O --filter src/ --exclude-unreachable-branches \
		--exclude-throw-branches --txt build/cover/summary.txt --html-details build/cover/index.html $O
	@cat build/cover/summary.txt

# --- install ----------------------------------------------------------------
INSTALL = install
man_pages := $(wildcard doc/*.1 doc/*.5 doc/*.8)
documents := $(wildcard README NEWS COPYING doc/*.txt doc/*.png)
completion := $(wildcard etc/distributex.bash-completion)
samples = distributex.yaml client.conf
conf_dir = $(DESTDIR)$(sysconfdir)/distributex
completions = $(DESTDIR)$(datadir)/bash-completion/completions
man_files = $(foreach page,$(man_pages),$(mandir)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page)))

# A configuration that somebody has edited stays, and install puts the new sample beside
# it. A package is built into an empty DESTDIR and so has the sample itself.
.PHONY: install uninstall
install: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(conf_dir) $(DESTDIR)$(docdir) $(completions)
	$(INSTALL) -m 755 $O/distributexd $(DESTDIR)$(sbindir)/distributexd
	$(INSTALL) -m 755 $O/distributex $(DESTDIR)$(bindir)/distributex
	@for name in $(samples); do \
		to=$(conf_dir)/$$name; \
		if [ -e $$to ] && ! cmp -s etc/$$name $$to; then \
			echo "$$to stays as it is; the new sample is $$to.new"; \
			to=$$to.new; \
		fi; \
		$(INSTALL) -m 644 etc/$$name $$to || exit; \
	done
	$(foreach file,$(man_files),$(INSTALL) -D -m 644 doc/$(notdir $(file)) $(DESTDIR)$(file)$(newline))
	$(if $(completion),$(INSTALL) -m 644 $(completion) $(completions)/distributex)
	$(INSTALL) -m 644 $(documents) $(DESTDIR)$(docdir)/

uninstall:
	rm -f $(DESTDIR)$(sbindir)/distributexd $(DESTDIR)$(bindir)/distributex $(completions)/distributex
	rm -f $(man_files:%=$(DESTDIR)%) $(addprefix $(DESTDIR)$(docdir)/,$(notdir $(documents)))
	@for name in $(samples); do \
		to=$(conf_dir)/$$name; \
		if cmp -s etc/$$name $$to; then rm -f $$to; elif [ -e $$to ]; then echo "$$to stays: it was edited"; fi; \
		rm -f $$to.new; \
	done
	rmdir --ignore-fail-on-non-empty $(wildcard $(DESTDIR)$(docdir) $(conf_dir))

define newline


endef

# --- packages ---------------------------------------------------------------
# Debian's own tools build the packages, from a copy of the tree that they configure
# themselves.
.PHONY: deb check-deb check-systemd
deb: deps
	tools/build-deb.sh build/deb
	@ls build/deb/*.deb

check-deb: deps
	@tests/deb/check.sh

check-systemd: deps
	@tests/deb/check-systemd.sh

# README's two commands on bare systems, of what is committed.
SUITES = bookworm trixie
.PHONY: check-fresh
check-fresh: deps
	@tools/fresh.sh $(SUITES)

# --- dist -------------------------------------------------------------------
# An archive of what is committed, and configure, byte for byte the same on every machine.
# It reads the version from configure.ac, so that it works where nothing is configured.
.PHONY: dist
dist:
	@set -e; version=$$(sed -n 's/^AC_INIT(\[distributex\], \[\(.*\)\])$$/\1/p' configure.ac); \
	name=distributex-$$version; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	git archive --prefix=$$name/ HEAD | tar -x -C "$$dir"; \
	(cd "$$dir/$$name" && autoconf && rm -rf autom4te.cache); \
	tar -c -C "$$dir" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		--mtime="@$$(git log -1 --format=%ct)" $$name | gzip -9n >$$name.tar.gz; \
	echo "$$name.tar.gz"

# --- help -------------------------------------------------------------------
define help_text
Targets
  all        both programs: build/distributexd and build/distributex
  run        deps, all, and a daemon on localhost:9889 with the pools of etc/example.yaml
  check      deps, all, and every test; some by TESTS="engine wire/verbs"
  tests      builds the tests and runs none
  check-etcd daemons over real etcd clusters while members and daemons fail;
             DISTRIBUTEX_TEST_GRANTS (3000) for a longer run of faults
  check-browser  the page at / in headless Chromium; screenshots in build/browser/
  deps-browser   installs what that needs: chromium, and a driver from npm
  deps       installs the Debian packages of deps.list that are missing
  install    into DESTDIR, prefix, bindir, sbindir, sysconfdir, mandir, docdir...
  uninstall  removes what install has put there, but no edited configuration
  lint       clang-format, clang-tidy, cppcheck, shellcheck; lint-quick: without
             clang-tidy, which takes ten seconds a file
  format     lays out the source as clang-format has it
  cover      the tests' coverage, in build/cover/index.html
  fuzz       libFuzzer for FUZZ_SECS (60) on each target; FUZZERS=engine for one of them
  fuzz-http  spoilt requests to a daemon under ASan and UBSan, for FUZZ_HTTP_SECS (1200);
             FUZZ_HTTP_SEED for the same again
  bench-etcd hand-overs between two daemons over etcd, beside the recipe of etcdctl
  bench-cost what a lock costs in counts, beside the record in bench/cost.txt
  bench-flat whether a pair costs the same with many pools, leases and waiters, in counts
  bench      speed and memory beside bare evhttp handlers, and locks on disk beside Redis,
             PostgreSQL and etcd: build/bench/results.txt and plots; BENCH_ROUNDS (3),
             BENCH_SECS (1), BENCH_PARTS=durable or bare: eight to ten minutes
  scale      the real engine under a million hosts, by a virtual clock; what that costs, by
             bench/cost.txt: a few minutes. SCALE="seed=2 part=10" for a tenth of each fleet
  soak       random clients and faults, for SOAK_MINS (30); SOAK_SEED, SOAK_CLIENTS (96),
             SOAK_RATE (800 requests a second at most)
  mutants    small changes of src/, one after the other: do the tests notice? MUTANTS (60),
             MUTANTS_SEED for the same again, MUTANTS_IN=src/http for one folder
  dist       distributex-VERSION.tar.gz of what is committed
  deb        the Debian packages, in build/deb
  check-deb  builds and tries them without systemd, in a throw-away view of this machine
  check-systemd  tries them under a systemd of their own (needs root and systemd-nspawn)
  check-fresh    'make run' and 'make check' of what is committed, on a bare Debian 12 and a
             bare Debian 13 (needs root; ten to fifteen minutes); SUITES=trixie for one
  clean      removes build/; distclean removes what configure made as well
Variables
  V=1            shows the commands
  WERROR=1       a warning is an error
  SAN=LIST       address,undefined or thread: built and tested with these sanitizers
  CXX=clang++    another compiler; CPPFLAGS, CXXFLAGS, LDFLAGS as usual
  TESTS=NAMES    which tests to run; TEST_TIMEOUT=SECONDS for each, JOBS=N at a time
  DEPS=GROUPS    which groups of deps.list to install; empty: none
For lasting choices: autoconf && ./configure --prefix=/usr CXX=clang++ (see ./configure --help).
sysconfdir is /etc unless you say otherwise, whatever the prefix is.
endef
export help_text
.PHONY: help
help:
	@printf '%s\n' "$$help_text"

# --- cleaning ---------------------------------------------------------------
.PHONY: clean distclean
clean:
	rm -rf build
distclean: clean
	rm -rf tests/browser/node_modules autom4te.cache configure configure~ config.mk config.log config.status distributex-*.tar.gz

-include $(wildcard $O/*/*.d $O/*/*/*.d $O/*/*/*/*.d)
