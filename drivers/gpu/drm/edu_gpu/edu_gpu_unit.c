// SPDX-License-Identifier: GPL-2.0

#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>

#include <drm/drm_gpupt.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>

#include "edu_gpu.h"

/*
 * The VT-d unit, as in Intel Virtualization Technology for Directed I/O: sections 9.1
 * "Root Entry" and 9.3 "Context Entry", and the chapter "Register Descriptions".
 */

#define UNIT_CAP		0x08
#define UNIT_CAP_FRO		GENMASK_ULL(33, 24)	/* of 16 bytes */
#define UNIT_CAP_SLLPS		GENMASK_ULL(35, 34)
#define UNIT_CAP_SAGAW_4	BIT_ULL(10)		/* four levels */
#define UNIT_CAP_CM		BIT_ULL(7)		/* caches empty entries */
#define UNIT_CAP_RWBF		BIT_ULL(4)		/* write buffers must be flushed */
#define UNIT_CAP_PSI		BIT_ULL(39)
#define UNIT_CAP_NFR		GENMASK_ULL(47, 40)	/* minus one */
#define UNIT_CAP_MAMV		GENMASK_ULL(53, 48)
#define UNIT_ECAP		0x10
#define UNIT_ECAP_IRO		GENMASK_ULL(17, 8)	/* of 16 bytes */
#define UNIT_ECAP_PT		BIT_ULL(6)		/* pass-through */
#define UNIT_GCMD		0x18
#define UNIT_GSTS		0x1c
#define UNIT_TE			BIT(31)			/* of both, as the next two */
#define UNIT_SRTP		BIT(30)
#define UNIT_QIE_IRE		GENMASK(26, 25)
#define UNIT_RTADDR		0x20
#define UNIT_CCMD		0x28
#define UNIT_CCMD_GLOBAL	(BIT_ULL(63) | BIT_ULL(61))
#define UNIT_FSTS		0x34
#define UNIT_FSTS_PFO		BIT(0)			/* a fault was lost */
#define UNIT_IVA		0x00			/* from IRO */
#define UNIT_IVA_LEAVES		BIT(6)			/* only those are outdated */
#define UNIT_IOTLB		0x08			/* from IRO */
#define UNIT_IOTLB_IVT		BIT_ULL(63)
#define UNIT_IOTLB_DOMAIN	(UNIT_IOTLB_IVT | FIELD_PREP_CONST(GENMASK_ULL(61, 60), 2))
#define UNIT_IOTLB_PAGES	(UNIT_IOTLB_IVT | FIELD_PREP_CONST(GENMASK_ULL(61, 60), 3))
#define UNIT_IOTLB_DRAIN	(BIT_ULL(49) | BIT_ULL(48))
#define UNIT_IOTLB_DID		GENMASK_ULL(47, 32)
#define UNIT_FAULT_F		BIT_ULL(63)		/* of the upper half of a record */
#define UNIT_FAULT_READ		BIT_ULL(62)
#define UNIT_FAULT_REASON	GENMASK_ULL(39, 32)
#define UNIT_FAULT_SOURCE	GENMASK_ULL(15, 0)

#define UNIT_PRESENT		BIT_ULL(0)
#define UNIT_PASS_THROUGH	FIELD_PREP_CONST(GENMASK_ULL(3, 2), 2)
#define UNIT_AW_4		2
#define UNIT_DID		GENMASK_ULL(23, 8)

/* Domain ids. */
#define UNIT_OTHERS		1
#define UNIT_EDU		2

/* The root table, and two context tables. */
#define UNIT_TABLES		(3 * SZ_4K)

#define UNIT_TIMEOUT_US		100000

/* Without this answer, the unit may use old entries. */
static void edu_gpu_unit_wait(struct edu_gpu *edu, unsigned long reg, u64 busy)
{
	u64 val;

	if (readq_poll_timeout(edu->unit.regs + reg, val, !(val & busy), 1, UNIT_TIMEOUT_US))
		edu_gpu_hang(edu, "IOMMU");
}

static void edu_gpu_unit_flush_locked(struct edu_gpu *edu, u64 iva, u64 cmd)
{
	unsigned long iro = FIELD_GET(UNIT_ECAP_IRO, edu->unit.ecap) * 16;

	lockdep_assert_held(&edu->unit.lock);

	writeq(iva, edu->unit.regs + iro + UNIT_IVA);
	writeq(cmd | UNIT_IOTLB_DRAIN | FIELD_PREP(UNIT_IOTLB_DID, UNIT_EDU),
	       edu->unit.regs + iro + UNIT_IOTLB);
	edu_gpu_unit_wait(edu, iro + UNIT_IOTLB, UNIT_IOTLB_IVT);
}

/* [step: 4] */
/**
 * edu_gpu_unit_flush() - &drm_gpupt_config.flush: flush a range of the device from the IOTLB
 * @priv: the device
 * @flush: the range, in bytes of GPU VA
 *
 * Flushes the whole domain if the range is too long for one command.
 */
/* [book: flush] */
void edu_gpu_unit_flush(void *priv, const struct drm_gpupt_flush *flush)
{
	/* The smallest aligned block that has the range. */
	unsigned int order = fls64((flush->va ^ (flush->va + flush->len - 1)) >> 12);
	u64 iva = (flush->va & ~0ull << (12 + order)) | order;
	struct edu_gpu *edu = priv;

	guard(mutex)(&edu->unit.lock);

	if (!flush->tables)
		iva |= UNIT_IVA_LEAVES;
	if (edu->unit.cap & UNIT_CAP_PSI && order <= FIELD_GET(UNIT_CAP_MAMV, edu->unit.cap))
		edu_gpu_unit_flush_locked(edu, iva, UNIT_IOTLB_PAGES);
	else
		edu_gpu_unit_flush_locked(edu, 0, UNIT_IOTLB_DOMAIN);
}

/* [end] */

/* Replace the context entry of the device: clear it, flush what is cached, then write it. */
static void edu_gpu_unit_point_locked(struct edu_gpu *edu, u64 lo)
{
	struct edu_gpu_unit *unit = &edu->unit;

	lockdep_assert_held(&unit->lock);

	WRITE_ONCE(unit->context->lo, 0);
	writeq(UNIT_CCMD_GLOBAL, unit->regs + UNIT_CCMD);
	edu_gpu_unit_wait(edu, UNIT_CCMD, BIT_ULL(63));
	edu_gpu_unit_flush_locked(edu, 0, UNIT_IOTLB_DOMAIN);
	WRITE_ONCE(unit->context->lo, cpu_to_le64(lo));
}

/* [step: 4] */
/**
 * edu_gpu_unit_attach() - have the device use the page table of an address space
 * @edu: the device, which does no DMA now
 * @vm: the address space
 *
 * Return: 0, or -ENODEV if the driver is unbound
 */
/* [book: attach] */
int edu_gpu_unit_attach(struct edu_gpu *edu, struct edu_gpu_vm *vm)
{
	int ret;

	guard(mutex)(&edu->unit.lock);

	if (edu->unit.vm == vm)
		return 0;
	drm_sgt_access_scope(view, drm_gpupt_root(vm->space.pt), ret) {
		edu_gpu_unit_point_locked(edu, drm_dma_view_first(view) | UNIT_PRESENT);
		edu->unit.vm = vm;
	}
	return ret;
}

/* [end] */

/**
 * edu_gpu_unit_detach() - block the DMA of the device
 * @edu: the device
 * @vm: only if it uses this address space; NULL for any
 */
void edu_gpu_unit_detach(struct edu_gpu *edu, struct edu_gpu_vm *vm)
{
	guard(mutex)(&edu->unit.lock);

	if (vm && edu->unit.vm != vm)
		return;
	edu_gpu_unit_point_locked(edu, 0);
	edu->unit.vm = NULL;
}

/* [step: 6] */
/**
 * edu_gpu_unit_faults() - take the recorded faults from the unit
 * @edu: the device
 *
 * Return: whether there was a fault of the device, or one whose record was lost
 */
bool edu_gpu_unit_faults(struct edu_gpu *edu)
{
	struct edu_gpu_unit *unit = &edu->unit;
	void __iomem *record = unit->regs + FIELD_GET(UNIT_CAP_FRO, unit->cap) * 16;
	unsigned int i, nr = FIELD_GET(UNIT_CAP_NFR, unit->cap) + 1;
	bool found;

	guard(mutex)(&unit->lock);

	found = readl(unit->regs + UNIT_FSTS) & UNIT_FSTS_PFO;
	for (i = 0; i < nr; i++, record += 16) {
		u64 hi = readq(record + 8);

		if (!(hi & UNIT_FAULT_F))
			continue;
		drm_dbg(&edu->drm, "%s fault of %#llx at %#llx, reason %llu\n",
			hi & UNIT_FAULT_READ ? "read" : "write", hi & UNIT_FAULT_SOURCE,
			readq(record), FIELD_GET(UNIT_FAULT_REASON, hi));
		found |= (hi & UNIT_FAULT_SOURCE) == pci_dev_id(edu->pdev);
		writeq(UNIT_FAULT_F, record + 8);
	}
	writel(UNIT_FSTS_PFO, unit->regs + UNIT_FSTS);
	return found;
}

/* The address of the only unit; 0 if there are none, or more. Units are first in the table. */
static phys_addr_t edu_gpu_unit_find(void)
{
	struct acpi_dmar_hardware_unit *unit, *next;
	struct acpi_table_header *table;
	phys_addr_t found = 0;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 0, &table)))
		return 0;

	unit = (void *)table + sizeof(struct acpi_table_dmar);
	next = (void *)unit + unit->header.length;
	if (unit->header.type == ACPI_DMAR_TYPE_HARDWARE_UNIT &&
	    ((void *)next >= (void *)table + table->length ||
	     next->header.type != ACPI_DMAR_TYPE_HARDWARE_UNIT))
		found = unit->address;
	acpi_put_table(table);
	return found;
}

/* [book: fill] */
/* Block the device, and let all others pass: they share a context table. */
static int edu_gpu_unit_fill(struct edu_gpu *edu)
{
	struct edu_gpu_unit *unit = &edu->unit;
	struct edu_gpu_entry *tables;
	unsigned int i;

	tables = dma_alloc_coherent(&edu->pdev->dev, UNIT_TABLES, &unit->root, GFP_KERNEL);
	if (!tables)
		return -ENOMEM;

	for (i = 0; i < 256; i++) {
		bool own = i == edu->pdev->bus->number;

		tables[i].lo = cpu_to_le64((unit->root + (1 + own) * SZ_4K) | UNIT_PRESENT);
	}
	for (i = 256; i < 3 * 256; i++) {
		tables[i].hi = cpu_to_le64(UNIT_AW_4 | FIELD_PREP(UNIT_DID, UNIT_OTHERS));
		tables[i].lo = cpu_to_le64(UNIT_PASS_THROUGH | UNIT_PRESENT);
	}
	unit->context = &tables[2 * 256 + edu->pdev->devfn];
	unit->context->hi = cpu_to_le64(UNIT_AW_4 | FIELD_PREP(UNIT_DID, UNIT_EDU));
	unit->context->lo = 0;
	unit->tables = tables;
	return 0;
}

/* [end] */

static int edu_gpu_unit_command(struct edu_gpu *edu, u32 bit, bool on)
{
	void __iomem *regs = edu->unit.regs;
	u32 val;

	/* The driver uses nothing that a second command would have to keep on. */
	writel(on ? bit : 0, regs + UNIT_GCMD);
	return readl_poll_timeout(regs + UNIT_GSTS, val, !!(val & bit) == on, 1, UNIT_TIMEOUT_US);
}

/**
 * edu_gpu_unit_stop() - turn the unit off
 * @edu: the device, which can do no DMA any more
 */
void edu_gpu_unit_stop(struct edu_gpu *edu)
{
	struct edu_gpu_unit *unit = &edu->unit;

	edu_gpu_unit_detach(edu, NULL);
	/* If it goes on, so does its use of the tables: for all devices. */
	if (edu_gpu_unit_command(edu, UNIT_TE, false))
		dev_err(&edu->pdev->dev, "the IOMMU does not turn off\n");
	else
		dma_free_coherent(&edu->pdev->dev, UNIT_TABLES, unit->tables, unit->root);
}

/**
 * edu_gpu_unit_init() - turn the unit on, with the device blocked
 * @edu: the device, whose registers can be used
 *
 * Return:
 * * %0       - on until edu_gpu_unit_stop()
 * * %-ENODEV - there is no unit, or not only one, or it lacks a feature
 * * %-EBUSY  - the kernel uses the unit
 * * %-ENOMEM - out of memory
 * * %-EIO, %-ETIMEDOUT - the unit does not answer
 */
int edu_gpu_unit_init(struct edu_gpu *edu)
{
	const u64 need = UNIT_CAP_SLLPS | UNIT_CAP_SAGAW_4, refuse = UNIT_CAP_CM | UNIT_CAP_RWBF;
	struct edu_gpu_unit *unit = &edu->unit;
	struct device *dev = &edu->pdev->dev;
	phys_addr_t addr = edu_gpu_unit_find();
	int ret;

	if (!addr)
		return dev_err_probe(dev, -ENODEV, "not one IOMMU in the DMAR table\n");
	unit->regs = devm_ioremap(dev, addr, PAGE_SIZE);
	if (!unit->regs)
		return -ENOMEM;
	if (device_iommu_mapped(dev) || readl(unit->regs + UNIT_GSTS) & (UNIT_TE | UNIT_QIE_IRE))
		return dev_err_probe(dev, -EBUSY, "boot with intel_iommu=off intremap=off\n");

	unit->cap = readq(unit->regs + UNIT_CAP);
	unit->ecap = readq(unit->regs + UNIT_ECAP);
	if ((unit->cap & (need | refuse)) != need || !(unit->ecap & UNIT_ECAP_PT))
		return dev_err_probe(dev, -ENODEV, "IOMMU of capabilities %#llx, %#llx\n",
				     unit->cap, unit->ecap);

	mutex_init(&unit->lock);
	ret = edu_gpu_unit_fill(edu);
	if (ret)
		return ret;

	writeq(unit->root, unit->regs + UNIT_RTADDR);
	ret = edu_gpu_unit_command(edu, UNIT_SRTP, true);
	if (!ret) {
		edu_gpu_unit_detach(edu, NULL);
		ret = edu->error ?: edu_gpu_unit_command(edu, UNIT_TE, true);
	}
	if (ret)
		edu_gpu_unit_stop(edu);
	return ret;
}
