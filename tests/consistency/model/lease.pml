/* The lease protocol of db/principals/README.md for one committer (A), one holder (B), and one key.

   Written from the protocol's description, not from its code: tests/lease_model checks the code. PostgreSQL executes
   requests in the order of their sending and delivers notices as late as it likes; a core evicts as late as it likes;
   time passes whenever it likes. The connection of B may be lost: its registration and its
   acknowledgement are executed later all the same, or never; a renewal executed late would only prolong the wait.

   Epochs and counters are compared for equality only. So the row has a flag for "renewed since A last read it" and one
   for "registered since A listed it", which the queries of A read and reset. */

#define LEASE 2   /* as A waits for it, in ticks */
#define MARGIN 1  /* B uses it for so much less */

mtype = { listen, registration, renewal, acknowledgement, look, fencing };
mtype = { stopped, registering, holding };

/* Messages. To PostgreSQL from B and from A; answers to B (accepted), to A (renewed, registered). */
chan from_b = [3] of { mtype };
chan from_a = [3] of { mtype };
chan to_b = [3] of { mtype, bool };
chan to_a = [3] of { bool, bool };
chan notices = [3] of { bool };      /* to B: the end of the change follows its notice, so one message is both */
chan acknowledgements = [3] of { bool };
chan evictions = [3] of { bool };    /* to B's core: whether it empties the cache */

/* Scratch of the atomic steps: no part of the state. */
hidden mtype kind;
hidden byte good, all, renewed, registered;

/* The requests of a lost connection of B; overtaken once B has registered on the next one. */
chan orphaned = [3] of { mtype };
bool overtaken;
#define REFUSES_LATE overtaken

/* PostgreSQL */
bool revoked, listens, has_row, fenced, renewed_since_read, registered_since_list;

/* B */
mtype phase = stopped;
bool asking, gap = true, pending, emptied;
byte evicting;                       /* rounds in progress; acknowledge when the one with the change has ended */
bool acknowledge_next;
byte sent_age, pending_age;          /* ticks since the renewal was sent */
byte lease_left;
bool cached, loading;                /* the state before the revocation */
byte cuts_left = CUTS;

/* A */
bool committed, listed, awaited, done, late_look, looking, known;
byte seen_age;

/* A step that writes to a queue waits for room first, so that it does not block halfway. */
#define HAS_ROOM(q) (len(q) < 2)

inline ask(what) { asking = true; sent_age = 0; from_b ! what }
inline drop() { lease_left = 0; gap = true }

/* B: grant the lease once the rounds before the answer have ended; after a gap, once the cache is empty. */
inline grant_if_applied()
{
    if
    :: pending && evicting == 0 ->
        if :: lease_left == 0 -> gap = true :: else fi;
        if
        :: gap && !emptied -> emptied = true; evicting++; evictions ! true
        :: else ->
            if
            :: pending_age < LEASE - MARGIN -> lease_left = LEASE - MARGIN - pending_age; gap = false
            :: else
            fi;
            pending = false; emptied = false; pending_age = 0
        fi
    :: else
    fi
}

inline accept() { asking = false; pending = true; emptied = false; pending_age = sent_age; grant_if_applied() }

active proctype holder()
{
    from_b ! listen;
end:
    do
    :: atomic { len(to_b) > 0 && HAS_ROOM(from_b) -> to_b ? kind, good;
        if
        :: kind == listen -> phase = registering; ask(registration)
        :: kind == registration -> phase = holding; accept()
        :: kind == renewal && good -> accept()
        :: kind == renewal && !good -> drop(); phase = registering; ask(registration)
        fi }
    :: atomic { phase == holding && !asking && !pending && HAS_ROOM(from_b) -> ask(renewal) }
    :: atomic { HAS_ROOM(evictions) && len(notices) > 0 ->
        notices ? all; evicting++; acknowledge_next = true; evictions ! false }
    :: atomic { cuts_left > 0 && phase != stopped ->    /* the connection is lost, and another one is made */
        cuts_left--;
        do :: len(from_b) > 0 -> from_b ? kind;
            if :: kind == registration || kind == acknowledgement -> orphaned ! kind :: else fi
        :: len(from_b) == 0 -> break od;
        do :: len(to_b) > 0 -> to_b ? kind, good :: len(to_b) == 0 -> break od;
        do :: len(notices) > 0 -> notices ? all :: len(notices) == 0 -> break od;
        listens = false; drop(); phase = stopped; asking = false; pending = false; emptied = false;
        evicting = 0; acknowledge_next = false;
        do :: len(evictions) > 0 -> evictions ? all :: len(evictions) == 0 -> break od;
        from_b ! listen }
    od
}

/* B's core: a lookup that an eviction overtakes is not cached. */
active proctype core()
{
end:
    do
    :: atomic { !revoked && !cached && !loading -> loading = true }
    :: atomic { loading -> loading = false; cached = true }
    :: atomic { HAS_ROOM(from_b) && len(evictions) > 0 -> evictions ? all; cached = false; loading = false; evicting--;
        if
        :: evicting == 0 && acknowledge_next -> acknowledge_next = false; from_b ! acknowledgement
        :: else
        fi;
        grant_if_applied() }
    od
}

active proctype committer()
{
    atomic { revoked = true; if :: listens -> notices ! true :: else fi; committed = true };
    do
    :: atomic { !done && !looking && len(from_a) == 0 -> looking = true; late_look = known && seen_age >= LEASE;
        from_a ! look }
    :: atomic { len(to_a) > 0 -> to_a ? renewed, registered; looking = false;
        if
        :: !known || renewed -> seen_age = 0
        :: else
        fi;
        if
        :: !has_row -> done = true                       /* it was never registered */
        :: has_row && !listed -> listed = true; awaited = true
        :: has_row && listed && registered -> awaited = false
        :: else
        fi;
        if
        :: known && !renewed && late_look -> awaited = false
        :: else
        fi;
        known = true; late_look = false;
        if :: listed && !awaited -> done = true :: else fi }
    :: atomic { len(acknowledgements) > 0 -> acknowledgements ? renewed;
        if :: listed -> awaited = false; done = true :: else fi }  /* else it is asked for again */
    :: atomic { !done && listed && len(from_a) == 0 && !fenced -> from_a ! fencing } /* at any time */
    :: done -> break
    od
}

active proctype postgresql()
{
end:
    do
    :: atomic { len(to_b) == 0 && len(from_b) > 0 -> from_b ? kind;
        if
        :: kind == listen -> listens = true; to_b ! listen, true
        :: kind == registration -> has_row = true; fenced = false; renewed_since_read = true;
            registered_since_list = true; overtaken = overtaken || len(orphaned) > 0; to_b ! registration, true
        :: kind == renewal && !fenced -> renewed_since_read = true; to_b ! renewal, true
        :: kind == renewal && fenced -> to_b ! renewal, false
        :: kind == acknowledgement ->
            if :: len(acknowledgements) == 0 -> acknowledgements ! true :: else fi
        fi }
    :: atomic { len(orphaned) > 0 -> orphaned ? kind;
        if
        :: kind == registration && !REFUSES_LATE -> has_row = true; fenced = false; renewed_since_read = true;
            registered_since_list = true
        :: kind == acknowledgement && len(acknowledgements) == 0 -> acknowledgements ! true
        :: else
        fi }
    :: atomic { len(to_a) == 0 && len(from_a) > 0 -> from_a ? kind;
        if
        :: kind == look ->                               /* and the change is published again */
            to_a ! renewed_since_read, registered_since_list;
            renewed_since_read = false;
            if :: !listed -> registered_since_list = false :: else fi;
            if :: listens && committed && len(notices) == 0 -> notices ! true :: else fi
        :: kind == fencing -> fenced = has_row
        fi }
    od
}

inline grow(age) { if :: age < LEASE -> age++ :: else fi }

active proctype time()
{
end:
    do
    :: atomic { true ->
        if :: lease_left > 0 -> lease_left-- :: else fi;
        if :: asking || phase == holding -> grow(sent_age) :: else fi;
        if :: pending -> grow(pending_age) :: else fi;
        if :: known && !done -> grow(seen_age) :: else fi }
    od
}

/* No acknowledged revocation is contradicted by the cache. */
ltl safe { [] !(done && lease_left > 0 && cached) }

/* Must not hold, or the model would prove nothing: the change settles, by each of its three ways, while B uses a cache
   afterwards. That every change settles in every schedule is a matter of fairness, and checked by tests/lease_model. */
ltl unsettled { [] !(done && lease_left > 0) }
