# Everything that is built, run, tested and installed. `make help` lists the targets.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/eddy
DESTDIR ?=

HOST ?= 127.0.0.1
PORT ?= 8888

# How long `make fuzz` runs each target.
SECONDS ?= 60

# What `make test` runs; the stages are listed in scripts/test.
STAGE ?= all

# SwiftPM's build folder; those of the sanitizers are called the same with a suffix.
export SCRATCH ?= .build

INSTALL ?= install
SWIFT_BUILD = swift build --scratch-path $(SCRATCH) -c release --static-swift-stdlib

version := $(shell bash -c '. scripts/common.sh && eddy_version')
soname := libeddy.so.$(firstword $(subst ., ,$(version)))

headers := $(wildcard include/eddy.h include/eddy/*.h)
core_sources := $(shell find Sources/CLibev Sources/EddyCore Sources/EddyHTTPCore -type f)
swift_sources := Package.swift $(shell find Sources -name '*.swift' -o -name '*.h')
client_sources := $(wildcard bindings/c/client/*.c bindings/c/client/*.h)
library := build/lib$(addprefix -,$(SANITIZE))

.PHONY: help run lib eddyd client docs install install-docs uninstall test fuzz bench bench-loop format clean

help:
	@echo 'make run        install what is missing, build, and run eddyd on $(HOST):$(PORT) (HOST=, PORT=)'
	@echo 'make test       install what is missing, and run every test (STAGE="unit c": some; STAGE=list)'
	@echo 'make fuzz       fuzz the HTTP engine and its parsers, each target for SECONDS=$(SECONDS)'
	@echo 'make lib        build/lib/libeddy.so and libeddy.a, for C (SANITIZE=address or thread)'
	@echo 'make eddyd      build/bin/eddyd'
	@echo 'make client     build/bin/eddy-client, the C test client'
	@echo 'make docs       the manual of the C interface: build/docs/html, and man pages in build/docs/man'
	@echo 'make install    the C library, eddyd and eddy-client to PREFIX=$(PREFIX) (LIBDIR=, DESTDIR=)'
	@echo 'make install-docs  the manual, to MANDIR=$(MANDIR) and DOCDIR=$(DOCDIR)'
	@echo 'make uninstall  the reverse of both'
	@echo 'make bench      CPU time a request beside nginx; memory of a held poll; bench-loop'
	@echo 'make bench-loop libeddy beside libev and libuv (WORKLOAD="echo timers": some; ROUNDS=5)'
	@echo 'make format     format every Swift and C file in place'
	@echo 'make clean      remove what was built'

run:
	@scripts/install-packages build
	@scripts/run '$(HOST)' '$(PORT)'

lib: $(library)/libeddy.a

$(library)/libeddy.a: $(headers) $(core_sources) lib/libeddy.map scripts/build-lib
	SANITIZE=$(SANITIZE) scripts/build-lib $(library)

eddyd: build/bin/eddyd

build/bin/eddyd: $(swift_sources)
	$(SWIFT_BUILD) --product eddyd
	mkdir -p build/bin
	cp "$$($(SWIFT_BUILD) --show-bin-path)/eddyd" $@

client: build/bin/eddy-client

build/bin/eddy-client: $(client_sources) $(headers) build/lib/libeddy.a
	mkdir -p build/bin
	$(CC) -std=c99 -O2 -g -Wall -Wextra -pthread -Iinclude -o $@ $(filter %.c,$(client_sources)) \
	  build/lib/libeddy.a -lev -lm

docs: build/docs/html/index.html

build/docs/html/index.html: $(headers) $(wildcard docs/manual/*) scripts/build-docs
	@scripts/install-packages docs
	scripts/build-docs

# $(call package_file,FILE,FOLDER): writes FILE, by which other projects find us, to FOLDER of LIBDIR.
package_file = scripts/write-package-file $1 '$(PREFIX)' '$(INCLUDEDIR)' '$(LIBDIR)' \
  >'$(DESTDIR)$(LIBDIR)/$2/$1'

install: lib eddyd client
	$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(INCLUDEDIR)/eddy'
	$(INSTALL) -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(LIBDIR)/cmake/eddy'
	$(INSTALL) -m 644 include/eddy.h '$(DESTDIR)$(INCLUDEDIR)/'
	$(INSTALL) -m 644 include/eddy/*.h '$(DESTDIR)$(INCLUDEDIR)/eddy/'
	$(INSTALL) -m 755 build/lib/libeddy.so.$(version) '$(DESTDIR)$(LIBDIR)/'
	strip --strip-unneeded '$(DESTDIR)$(LIBDIR)/libeddy.so.$(version)'
	ln -sf libeddy.so.$(version) '$(DESTDIR)$(LIBDIR)/$(soname)'
	ln -sf $(soname) '$(DESTDIR)$(LIBDIR)/libeddy.so'
	$(INSTALL) -m 644 build/lib/libeddy.a '$(DESTDIR)$(LIBDIR)/'
	strip --strip-debug '$(DESTDIR)$(LIBDIR)/libeddy.a'
	$(call package_file,eddy.pc,pkgconfig)
	$(call package_file,eddy-config.cmake,cmake/eddy)
	$(call package_file,eddy-config-version.cmake,cmake/eddy)
	$(INSTALL) -m 755 -s build/bin/eddyd build/bin/eddy-client '$(DESTDIR)$(BINDIR)/'
	-if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then PATH="$$PATH:/sbin" ldconfig; fi

# Apart from `install`, which needs no Doxygen.
install-docs: docs
	$(INSTALL) -d '$(DESTDIR)$(MANDIR)/man3' '$(DESTDIR)$(DOCDIR)'
	$(INSTALL) -m 644 build/docs/man/man3/* '$(DESTDIR)$(MANDIR)/man3/'
	cp -R build/docs/html '$(DESTDIR)$(DOCDIR)/'

# Files by their names, and only folders of ours, if nothing else is in them.
uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/eddyd' '$(DESTDIR)$(BINDIR)/eddy-client'
	rm -f '$(DESTDIR)$(LIBDIR)/libeddy.so' '$(DESTDIR)$(LIBDIR)/$(soname)'
	rm -f '$(DESTDIR)$(LIBDIR)/libeddy.so.$(version)' '$(DESTDIR)$(LIBDIR)/libeddy.a'
	rm -f '$(DESTDIR)$(LIBDIR)/pkgconfig/eddy.pc'
	rm -f '$(DESTDIR)$(LIBDIR)/cmake/eddy/eddy-config.cmake'
	rm -f '$(DESTDIR)$(LIBDIR)/cmake/eddy/eddy-config-version.cmake'
	rm -f $(foreach header,$(headers:include/%=%),'$(DESTDIR)$(INCLUDEDIR)/$(header)')
	rm -f '$(DESTDIR)$(MANDIR)'/man3/eddy.h.3 '$(DESTDIR)$(MANDIR)'/man3/eddy_*.3
	rm -f '$(DESTDIR)$(MANDIR)'/man3/EDDY_*.3
	rm -rf '$(DESTDIR)$(DOCDIR)/html'
	for folder in '$(LIBDIR)/cmake/eddy' '$(INCLUDEDIR)/eddy' '$(DOCDIR)'; do \
	  if [ -d '$(DESTDIR)'"$$folder" ]; then \
	    rmdir --ignore-fail-on-non-empty '$(DESTDIR)'"$$folder"; fi; done

test:
	@scripts/install-packages test
	@scripts/test $(STAGE)

fuzz:
	@scripts/install-packages build
	@scripts/fuzz '$(SECONDS)'

bench:
	@scripts/install-packages bench
	@Benchmarks/http
	@Benchmarks/parked-polls
	@Benchmarks/bench-loop

bench-loop:
	@scripts/install-packages bench
	@Benchmarks/bench-loop $(WORKLOAD)

format:
	scripts/check-format --fix

clean:
	rm -rf build $(SCRATCH) $(SCRATCH)-asan $(SCRATCH)-tsan .build-package
