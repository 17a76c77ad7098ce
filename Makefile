# One line per job; `make help` says what each does. Every job sets up .venv first, and only when that is needed.
# Written for GNU make 3.81 (macOS) and later, and for any POSIX shell.

VENV = .venv
# What only the website needs, apart from the packages of the course.
BOOK = $(VENV)/book
RUN = $(VENV)/bin/python
PIP = $(RUN) -u -m pip --disable-pip-version-check
# The Pythons to try, best first. Choose your own: make course PYTHON=/path/to/python3.12
PYTHON = python3.13 python3.12 python3.11 python3 python
# quick (the course as it is), smoke (every cell, on a handful of pictures) or full (the real thing): make course PROFILE=full
PROFILE = quick
# CHANGED=1 leaves out the notebooks whose code, and the package under it, is what their outputs were stored with.
CHANGED =
# How many notebooks `make course` runs at the same time.
JOBS = 1
# Where `make test-latest` puts the newest packages.
LATEST = .venv-latest
# How tests run: two at a time, each in a process of one thread; more threads would only wait for the other process's.
# nbval's plugin is for notebooks, and slow to load.
ONE_THREAD = TF_NUM_INTRAOP_THREADS=1 OMP_NUM_THREADS=1
TWO_AT_A_TIME = -p no:nbval -n 2 --dist worksteal
# Options for `make lock`: LOCK=--upgrade takes the newest versions that pyproject.toml allows.
LOCK =

.PHONY: help setup course test test-latest test-folders test-photos test-browser test-nbgrader test-book lab lab-solved student
.PHONY: book bench lint outputs lock clean

help:
	@echo 'make course    run every notebook in order; the results and an index.html go to output/ (PROFILE=smoke: in little;'
	@echo '               CHANGED=1: only those that a change of theirs, or of the package, touches; JOBS=2: two at a time)'
	@echo 'make lab       open the lessons in JupyterLab, with exercises to solve (in student/, which is made if need be)'
	@echo 'make lab-solved    open the solved lessons'
	@echo 'make student   make the edition with exercises, and leave what somebody worked in'
	@echo 'make test      style, unit tests, doctests, then the notebooks against their saved outputs and figures'
	@echo 'make test-latest   the tests and the smoke run with the newest packages, in an environment beside .venv'
	@echo 'make test-folders  every picture lesson, in little, on folders as learners bring them: few pictures, many classes, grayscale'
	@echo 'make test-photos   these, and every picture lesson on the photos in $$COURSE_PHOTOS: for hours when you are not waiting'
	@echo 'make test-browser  texts of figures and the teachable machine in a real JupyterLab; needs Chromium, ChromeDriver and selenium'
	@echo 'make test-nbgrader  assignments handed out, marked and given feedback on by nbgrader, which it needs'
	@echo 'make book      make a website of the lessons and texts, to read without Python: output/book'
	@echo 'make test-book     that website in a browser; needs Chromium, ChromeDriver, selenium and axe'
	@echo 'make lint      style, and the house rules of the lessons'
	@echo 'make bench     run the scripts behind the figures in the README'
	@echo 'make outputs   run the notebooks and save their outputs in place'
	@echo 'make lock      make requirements.txt anew from pyproject.toml (LOCK=--upgrade: newest versions)'
	@echo 'make setup     only set up .venv (the others do that by themselves)'
	@echo 'make clean     remove the environments, output/ and caches; data/ stays, and student/, where somebody may have worked'
	@echo
	@echo 'You need Python 3.11, 3.12 or 3.13. On Windows there is no make: use conda with environment.yml.'

setup: $(VENV)/ready

course: $(VENV)/ready
	$(RUN) -m helpers run --profile $(PROFILE) --jobs $(JOBS) $(if $(CHANGED),--changed)

# One data folder for all of it, so that the pets are drawn once and the features computed once: COURSE_DATA if it is
# set, else a new one. Figures and features left by an older version of the code must not stand in for today's.
# Notebooks run two at a time, the long ones first, so that neither process is left alone at the end.
test: lint
	@if [ -z "$$COURSE_DATA" ]; then \
	  COURSE_DATA=$$(mktemp -d); export COURSE_DATA; trap 'rm -rf "$$COURSE_DATA"' EXIT; \
	fi; \
	set -ex; \
	$(RUN) -m helpers data get synthetic_pets; \
	export $(ONE_THREAD); \
	$(RUN) -m pytest $(TWO_AT_A_TIME) --doctest-modules helpers tests; \
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --nbval --nbval-current-env --nbval-cell-timeout=1800 \
	  notebooks/1*.ipynb notebooks/0[7-9]*.ipynb notebooks/0[0-6]*.ipynb

# The names and lower limits of pyproject.toml without the upper ones, in an environment of its own, so that the course's
# stays as it is. What differs from the lock is said and kept in $(LATEST)/changes.txt. Both runs take place in any case.
test-latest: $(VENV)/ready
	$(RUN) -m venv --clear $(LATEST)
	sed -nE '/^(dependencies|dev) = \[/,/^\]/s/^ *"([a-z0-9-]+(\[[a-z-]+\])?>=[0-9.]+).*/\1/p' pyproject.toml > $(LATEST)/names.txt
	$(LATEST)/bin/python -m pip --disable-pip-version-check install --quiet --requirement $(LATEST)/names.txt
	$(LATEST)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@for venv in $(VENV) $(LATEST); do \
	  $$venv/bin/python -m pip freeze --exclude-editable | LC_ALL=C sort -t = -k 1,1 > $$venv/versions.txt; done; \
	LC_ALL=C join -t = $(VENV)/versions.txt $(LATEST)/versions.txt | \
	  awk -F = '$$3 != $$5 { print $$1 ": " $$5 " (locked: " $$3 ")" }' | tee $(LATEST)/changes.txt
	@COURSE_DATA=$$(mktemp -d); export COURSE_DATA; trap 'rm -rf "$$COURSE_DATA"' EXIT; set -x; failed=0; \
	$(LATEST)/bin/python -m helpers data get synthetic_pets || failed=1; \
	$(ONE_THREAD) $(LATEST)/bin/python -m pytest $(TWO_AT_A_TIME) --doctest-modules helpers tests || failed=1; \
	$(LATEST)/bin/python -m helpers run --profile smoke --output $(LATEST)/output || failed=1; exit $$failed

test-folders: $(VENV)/ready
	$(ONE_THREAD) $(RUN) -m pytest $(TWO_AT_A_TIME) -m folders tests

test-photos: $(VENV)/ready
	@if [ -z "$$COURSE_PHOTOS" ]; then \
	  echo 'Set COURSE_PHOTOS to a folder with cat_dog_small/ and weather/: make test-photos COURSE_PHOTOS=...' >&2; \
	  exit 2; \
	fi
	$(ONE_THREAD) $(RUN) -m pytest $(TWO_AT_A_TIME) -m "photos or folders" tests

# Installs nothing: a browser is the user's own affair.
test-browser: $(VENV)/ready
	@missing=; command -v chromium chromium-browser google-chrome >/dev/null || missing='Chromium'; \
	command -v chromedriver >/dev/null || missing="$$missing ChromeDriver"; \
	$(RUN) -c 'import selenium' 2>/dev/null || missing="$$missing selenium"; \
	if [ -n "$$missing" ]; then \
	  echo "Missing: $$missing. On Debian: apt install chromium chromium-driver; $(RUN) -m pip install selenium" >&2; exit 2; \
	fi
	$(RUN) -m pytest -m browser tests/test_browser.py

# Installs nothing: nbgrader is for those who mark with it. It calls alembic, which its installation puts beside Python.
test-nbgrader: $(VENV)/ready
	@if ! $(RUN) -c 'import nbgrader' 2>/dev/null; then \
	  echo 'Missing: nbgrader. $(RUN) -m pip install nbgrader (six packages more, and none of the lock changes)' >&2; \
	  exit 2; \
	fi
	$(RUN) -m pytest -m nbgrader tests/test_nbgrader.py

# The edition to work in is made if it is missing, and otherwise left: it may hold answers, or a teacher's parameters.
# The root is the project's, so that helpers/ can be read beside the lessons.
lab: $(VENV)/ready
	@[ -e student/00_start_here.ipynb ] || $(RUN) -m helpers student
	$(RUN) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" student/00_start_here.ipynb

lab-solved: $(VENV)/ready
	$(RUN) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" notebooks/00_start_here.ipynb

student: $(VENV)/ready
	$(RUN) -m helpers student

# The pages are laid out with the course's packages, which know the lessons, and rendered with those of the website.
# A warning, such as of a link that leads nowhere, is a failure.
book: $(VENV)/ready $(BOOK)/ready
	@rm -rf output/.book
	$(RUN) docs/book/stage.py output/.book/source
	$(BOOK)/bin/python -m sphinx -q -W --keep-going -c docs/book -d output/.book/read output/.book/source output/.book/html
	@rm -rf output/book
	@mv output/.book/html output/book
	@rm -rf output/.book
	@echo 'Open $(CURDIR)/output/book/index.html in a browser, or put the folder on any server.'

# Installs nothing, as test-browser. Of axe's package only the script is used, so it needs none of its dependencies.
test-book: book
	@missing=; command -v chromium chromium-browser google-chrome >/dev/null || missing='Chromium'; \
	command -v chromedriver >/dev/null || missing="$$missing ChromeDriver"; \
	$(RUN) -c 'import selenium' 2>/dev/null || missing="$$missing selenium"; \
	$(RUN) -c 'import axe_playwright_python' 2>/dev/null || missing="$$missing axe"; \
	if [ -n "$$missing" ]; then \
	  echo "Missing: $$missing. On Debian: apt install chromium chromium-driver; $(PIP) install selenium;" \
	    "$(PIP) install --no-deps axe-playwright-python" >&2; exit 2; \
	fi
	$(RUN) -m pytest -m browser tests/test_book_browser.py

# All run in any case; this ends with 1 if one of them does, as where a budget does not hold. The last writes the README.
bench: $(VENV)/ready
	@failed=0; for script in benchmarks/[a-z]*.py; do echo "$$script"; $(RUN) "$$script" || failed=1; done; exit $$failed

lint: $(VENV)/ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m helpers lint

outputs: $(VENV)/ready
	$(RUN) -m helpers outputs

# uv is kept apart from the packages of the course. Its own settings are switched off, so that the lock is the
# same on every machine. A lock that comes out as it was gets its old time back, so that nothing is set up again.
# Extras stay in it: where a package asks for one of jsonschema's, pip takes no line with a hash that does not name it.
LOCKS = requirements.txt requirements-book.txt
UV_LOCK = env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
  $(VENV)/uv/bin/uv pip compile --quiet --no-config --universal --fork-strategy fewest \
  --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url $(LOCK) \
  --custom-compile-command 'make lock'
lock: $(VENV)/ready
	@$(PIP) install --quiet --upgrade --target $(VENV)/uv uv
	@cp -p $(LOCKS) $(VENV)/uv
	$(UV_LOCK) --extra dev --output-file requirements.txt pyproject.toml
	$(UV_LOCK) --group book --output-file requirements-book.txt
	@for lock in $(LOCKS); do \
	  if cmp -s $$lock $(VENV)/uv/$$lock; then mv $(VENV)/uv/$$lock $$lock; echo "$$lock: unchanged"; \
	  else echo "$$lock: changed"; fi; done

clean:
	rm -rf $(VENV) $(LATEST) output .pytest_cache .ruff_cache .hypothesis *.egg-info
	find helpers tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# --- the environment -------------------------------------------------------------------------------------------
# Each stamp is written last, so a set-up that failed or was killed is done again from the start.

# The project itself, editable: `import helpers` works from every folder.
$(VENV)/ready: $(VENV)/packages pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The packages of the lock. setuptools goes first: one package has no wheel, and is built with this setuptools
# rather than with one that pip would fetch unchecked. The loop turns pip's talk into one line that moves; what pip
# warns of is shown if it fails.
$(VENV)/packages: requirements.txt
	@found=; for python in $(PYTHON); do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
	  then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'Found no Python 3.11, 3.12 or 3.13 (tried: $(PYTHON)). Install one, or: make PYTHON=/path/to/python' >&2; \
	  exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$found cannot make environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$found" --version): once, some minutes, about 1 GB to download."; \
	"$$found" -m venv --clear $(VENV)
	@sed -n '/^setuptools==/,/[^\\]$$/p' requirements.txt > $(VENV)/setuptools.txt
	@$(PIP) install --quiet --require-hashes --requirement $(VENV)/setuptools.txt
	@$(PIP) install --progress-bar off --no-build-isolation --require-hashes --requirement requirements.txt \
	  2> $(VENV)/warnings.txt | { \
	  total=$$(grep -c '^[a-z0-9].*==' requirements.txt); count=0; done=; \
	  if [ -t 1 ]; then end='\r'; else end='\n'; fi; \
	  while read -r word name rest; do \
	    case "$$word $$name" in \
	      'Successfully installed') done=yes ;; \
	      'Installing collected') printf '%-78s\n' '  unpacking (a minute or two)' ;; \
	      Collecting*|Processing*|Ignoring*|'Requirement already') count=$$((count + 1)); \
	        if [ -t 1 ] || [ $$((count % 25)) -eq 0 ]; then printf "%-78s$$end" "  $$count of $$total packages"; fi ;; \
	      Downloading*) case $$rest in \
	        *[0-9][0-9].[0-9]*MB*) printf "%-78s$$end" "  $$count of $$total packages: $$name $$rest" ;; esac ;; \
	    esac; \
	  done; \
	  if [ -z "$$done" ]; then cat $(VENV)/warnings.txt >&2; echo 'Setting up failed: see above, then try again.' >&2; \
	    exit 1; fi; }
	@touch $@

# What renders the website, apart: it needs other packages than the course, and none of them at run time.
$(BOOK)/ready: requirements-book.txt | $(VENV)/ready
	$(RUN) -m venv --clear $(BOOK)
	@$(BOOK)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --requirement $<
	@touch $@
