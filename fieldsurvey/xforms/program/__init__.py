"""A form compiled: references resolved to slots, triggers in evaluation order, closures made when first needed."""
