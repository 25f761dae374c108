import sys

from selfheal.patient.app import main

if __name__ == "__main__":
    sys.exit(main())
