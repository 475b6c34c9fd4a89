from django.db import migrations

END = """
CREATE FUNCTION accounts_end_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.password, OLD.role, OLD.is_active) IS DISTINCT FROM (NEW.password, NEW.role, NEW.is_active) THEN
        NEW.token_version := OLD.token_version + 1;
    ELSE
        NEW.token_version := greatest(OLD.token_version, NEW.token_version);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_tokens_end_with_password_role_or_activity BEFORE UPDATE ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION accounts_end_tokens();
"""
LEAVE = """
DROP TRIGGER accounts_tokens_end_with_password_role_or_activity ON accounts_user;
DROP FUNCTION accounts_end_tokens();
"""


class Migration(migrations.Migration):
    """Tokens name a version: a change of what they rest on ends them, whoever makes it, and none comes back."""

    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(END, LEAVE)]
