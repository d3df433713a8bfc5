/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Map, unmap, access sections and device shutdown race for one table, as in
 * drivers/gpu/drm/gem_sgt/drm_sgt_unbind.c. Each atomic block is a critical section of
 * drm_sgt_device.lock, or an atomic operation; everything else interleaves.
 *
 * One task maps, unmaps and frees, as drm_sgt.lock serialises these. Memory is
 * sequentially consistent here; the comments in the code explain its barriers.
 *
 * spin -a -DMUTATION=n breaks one rule; see tools/model.sh.
 */

#ifndef MUTATION
#define MUTATION 0
#endif
#define NO_WAIT_FOR_READERS	(MUTATION == 1)
#define NO_WAIT_FOR_UNMAP	(MUTATION == 2)
#define NO_WAIT_FOR_REVOKE	(MUTATION == 3)
#define NO_READER_CHECK		(MUTATION == 4)
#define NO_MAP_SECTION		(MUTATION == 5)
#define NO_GONE_CHECK		(MUTATION == 6)

#define READERS 2
#define MAPPER READERS		/* index of the owner in section[] */

mtype = { BACKED, MAPPED };

mtype state = BACKED;
bool gone, listed, revoking;
bool dma;			/* the mapping exists */
bool open = false;		/* drm_sgt.readers is not negative */
byte readers;			/* drm_sgt.readers, when it is not */
byte mapped;			/* drm_sgt_device.stats.mapped */
bool section[READERS + 1];	/* drm_sgt_device.srcu, held for reading */
bool unbound, freed;
byte users = READERS;		/* readers with a reference to the table */

inline dma_map()
{
	assert(!dma && !unbound && !freed);
	dma = true
}

inline dma_unmap()
{
	assert(dma && !unbound && !freed);
	dma = false
}

inline forget()
{
	atomic {
		assert(!freed);
		mapped--;
		revoking = false;
		state = BACKED
	}
}

/* drm_sgt_device_remove(), with drm_sgt.lock held */
inline remove()
{
	atomic {
		busy = false;
		taken = false;
		if
		:: state == MAPPED && !revoking ->
			busy = (readers > 0) && !NO_READER_CHECK;
			taken = !busy;
			if
			:: taken -> listed = false; open = false
			:: else
			fi
		:: else
		fi
	}
	if
	:: taken -> dma_unmap(); forget()
	:: else
	fi;
	if
	:: busy || NO_WAIT_FOR_REVOKE
	:: !busy && !NO_WAIT_FOR_REVOKE -> (state != MAPPED)
	fi
}

/* drm_sgt_map(), drm_sgt_unmap(), then drm_sgt_free() when no reader is left */
active proctype owner()
{
	bool busy, taken;
	byte round = 0;

	do
	:: round < 2 ->
		round++;
		if
		:: state == BACKED ->
			section[MAPPER] = !NO_MAP_SECTION;
			if
			:: gone && !NO_GONE_CHECK
			:: !gone || NO_GONE_CHECK ->
				dma_map();
				atomic {
					assert(!listed);
					listed = true;
					state = MAPPED;
					mapped++;
					readers = 0;
					open = true
				}
			fi;
			section[MAPPER] = false
		:: else
		fi;
		if
		:: true ->
			remove();
		:: true
		fi
	:: else -> break
	od;

	(users == 0);
	remove();
	assert(!busy);
	freed = true
}

/* drm_sgt_access_begin(), a read of the addresses, drm_sgt_access_end() */
active [READERS] proctype reader()
{
	bool in;
	byte me = _pid - 1;

	section[me] = true;
	if
	:: gone
	:: !gone ->
		atomic {
			in = open;
			readers = readers + (in -> 1 : 0)
		}
		if
		:: in ->
			assert(dma && !freed);
			readers--
		:: else
		fi
	fi;
	section[me] = false;
	users--
}

/* drm_sgt_device_shutdown() */
active proctype shutdown()
{
	bool waits[READERS + 1];
	bool mine;
	byte i = 0;

	gone = true;

	/* synchronize_srcu(): waits for the sections that are open when it begins */
	atomic {
		do
		:: i <= READERS ->
			waits[i] = section[i] && !NO_WAIT_FOR_READERS;
			i++
		:: else -> break
		od
	}
	i = 0;
	do
	:: i <= READERS ->
		if
		:: waits[i] -> (!section[i])
		:: else
		fi;
		i++
	:: else -> break
	od;

	do
	:: atomic {
		mine = listed;
		if
		:: mine ->
			listed = false;
			revoking = true;
			open = false
		:: else
		fi
	   };
	   if
	   :: mine -> dma_unmap(); forget()
	   :: else -> break
	   fi
	od;

	if
	:: NO_WAIT_FOR_UNMAP
	:: !NO_WAIT_FOR_UNMAP -> (mapped == 0)
	fi;
	assert(!dma);
	unbound = true
}
