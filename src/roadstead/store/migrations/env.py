"""Alembic's entry point: runs inside the connection that `engine` gives, in its transaction."""

from alembic import context

from roadstead.store.schema import Base

if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.get_main_option("dialect"),
        target_metadata=Base.metadata,
        literal_binds=True,
    )
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        # SQLite rolls DDL back like anything else once the driver is kept from committing it.
        transactional_ddl=True,
    )
with context.begin_transaction():
    context.run_migrations()
