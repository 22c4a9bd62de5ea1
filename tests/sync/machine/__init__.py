"""A state machine of laptops, carriers and central over real files, real vaults and real signatures. All synthetic.

kit.py       what every run shares and is made once: keys, vaults, sealed records, signed projects
laptops.py   a laptop: seals, revises, is copied, restored, exports, takes what comes back
carriers.py  what happens to a stick on the road, and what somebody ill-disposed puts on it
relays.py    a supervisor's laptop that takes batches and hands them on
returning.py what the HMU sends back
centre.py    central: imports, serves, backs up, loses its disk, is restored
database.py  the same on PostgreSQL
lines.py     a line: the real client and the real server, and what happens to requests between them
model.py     what must be true, from what was sealed and carried alone; it uses nothing of what it judges
world.py     all of that together, and the invariants
online.py    who sends over a line, and what must be true of that
fieldwork.py the rules
planted*.py  faults, each of which the machine must find
"""
